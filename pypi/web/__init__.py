"""The rooms: each a class whose fields are its collaborators and whose methods are its routes."""
