"""The lab book: from a notebook to a dated entry to a page, and the ledger of all claims."""
