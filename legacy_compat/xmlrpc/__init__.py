"""XML-RPC: every method that the index ever had, for the clients that still call them."""
