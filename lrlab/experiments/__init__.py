"""The private code of single notebooks: each file or folder is named after the one it serves."""
