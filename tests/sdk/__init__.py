"""The clients and the collection that are generated from the API document, and what they do to a service that runs."""
