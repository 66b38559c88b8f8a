"""Builds the guide: the documents of the repository as the site that the package serves at /guide."""
