"""What must be there after a power cut: typed state files, high-water marks, ledger, undo journal, spools."""
