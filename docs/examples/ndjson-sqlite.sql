-- SPDX-License-Identifier: GPL-3.0-only
-- Rows of `profile-scenario export FILE --format ndjson` into SQLite, several files one after another:
--     sqlite3 history.db <ndjson-sqlite.sql, where run.ndjson lies
-- A view for each table that is asked most; others are in line, by json_extract.
CREATE TABLE IF NOT EXISTS line(text TEXT NOT NULL);
.mode ascii
.separator "\037" "\n"
.import run.ndjson line
CREATE VIEW IF NOT EXISTS syscalls AS
	SELECT json_extract(text, '$.run') AS run,
		json_extract(text, '$.name') AS name,
		json_extract(text, '$.calls') AS calls,
		json_extract(text, '$.errors') AS errors,
		json_extract(text, '$."wall_ns.total"') AS wall_ns,
		json_extract(text, '$."bytes.transferred"') AS bytes,
		json_extract(text, '$."batch.transferred"') AS units,
		json_extract(text, '$."batch.per_call.mean"') AS per_call
	FROM line WHERE json_extract(text, '$.table') = 'syscalls';
CREATE VIEW IF NOT EXISTS latency AS
	SELECT json_extract(text, '$.run') AS run,
		json_extract(text, '$.name') AS name,
		json_extract(text, '$.le_ns') AS le_ns,
		json_extract(text, '$.count') AS count
	FROM line WHERE json_extract(text, '$.table') = 'syscalls.latency_histogram';
