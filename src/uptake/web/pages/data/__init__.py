"""Where events come from: connections and their keys, imports of files, what waits in quarantine."""
