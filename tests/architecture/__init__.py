"""The rules of the house, each as a test that is first shown to catch what it forbids."""
