"""`bookbag-fleet`, one file per verb. `main` finds the verbs by listing this package's `verbs` folder."""
