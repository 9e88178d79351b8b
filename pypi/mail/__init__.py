"""What the index writes to people: letters as values, messages made of them, and who carries them."""
