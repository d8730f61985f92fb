"""The benchmark jobs for DuckDB and Polars; runs inside the virtual environment that has them.

    python peer_jobs.py PEER WORK INPUT OUTPUT MEMORY_BYTES SCRATCH_DIR

PEER is duckdb or polars; WORK is word_count or sort. Both get two threads. Words are separated by
blanks and lines only, which the generated text allows: splitting by a character is faster in both
than splitting by a pattern. Records are lines of 100 bytes, and sorted as whole lines: the record's
number stands behind the key, so the result is the same as sorting by key with ties in input order.
"""

import os
import sys

THREADS = 2
# A separator that the data does not hold: a line is one column.
NO_SEPARATOR = "\x01"


def quoted(path):
    return "'" + path.replace("'", "''") + "'"


def duckdb_job(work, source, target, memory_bytes, scratch):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads={THREADS}")
    connection.execute("SET preserve_insertion_order=false")
    connection.execute(f"SET memory_limit='{memory_bytes // 1024}KiB'")
    connection.execute(f"SET temp_directory={quoted(scratch)}")
    lines = (
        f"read_csv({quoted(source)}, columns={{'line': 'VARCHAR'}}, delim='{NO_SEPARATOR}', "
        "quote='', escape='', header=false, auto_detect=false)"
    )
    if work == "word_count":
        query = (
            "SELECT word, count(*) FROM "
            f"(SELECT unnest(string_split(line, ' ')) AS word FROM {lines}) "
            "WHERE word <> '' GROUP BY word ORDER BY word"
        )
    else:
        query = f"SELECT line FROM {lines} ORDER BY line"
    connection.execute(
        f"COPY ({query}) TO {quoted(target)} (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '')"
    )


def polars_job(work, source, target):
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    import polars

    lines = polars.scan_csv(
        source, separator=NO_SEPARATOR, has_header=False, quote_char=None, new_columns=["line"],
        schema_overrides={"line": polars.String},
    )
    if work == "word_count":
        words = lines.select(polars.col("line").str.split(" ").explode().alias("word"))
        result = (
            words.filter(polars.col("word") != "")
            .group_by("word").agg(polars.len().alias("count")).sort("word")
        )
    else:
        result = lines.sort("line")
    result.sink_csv(target, include_header=False, separator="\t", quote_style="never",
                    engine="streaming")


def main():
    peer, work, source, target, memory_bytes, scratch = sys.argv[1:]
    if peer == "duckdb":
        duckdb_job(work, source, target, int(memory_bytes), scratch)
    else:
        polars_job(work, source, target)


if __name__ == "__main__":
    main()
