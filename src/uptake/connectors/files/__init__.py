"""Files as a source: tables of events in CSV, XLSX, Parquet, NDJSON and XES, mapped to happenings and imported."""
