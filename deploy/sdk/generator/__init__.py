"""Writes the clients and the Postman collection from the API document."""
