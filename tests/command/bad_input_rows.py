"""The catalogue of bad input: what is wrong, what is called, how it is answered. bad_input_test.py
runs it.

Each row has a directory of its own, the working directory, with the file `text` and the directory
`in` with one file; `make` adds to it. The words of a message say what, where, why and what to do.
"""

import bz2
import dataclasses
import gzip
import os
import pathlib
import shutil
import typing

from command_case import TEST_PLUGINS

USAGE, BAD_DATA, NO_INPUT, NOT_REACHABLE = 64, 65, 66, 69
OUTPUT_EXISTS, DISK, NOT_ALLOWED, CONFIGURATION = 73, 74, 77, 78


@dataclasses.dataclass(frozen=True)
class Row:
    what: str
    command: str  # As a shell would part it.
    code: int
    words: tuple
    make: typing.Callable[[pathlib.Path], None] = lambda here: None
    variables: dict = dataclasses.field(default_factory=dict)


def write(name, data):
    return lambda here: (here / name).write_bytes(data)


def link(name, target):
    return lambda here: (here / name).symlink_to(target)


def directory(name, mode=0o755):
    def make(here):
        (here / name).mkdir(parents=True)
        (here / name).chmod(mode)
    return make


def pipe(name):
    return lambda here: os.mkfifo(here / name)


def all_of(*makers):
    def make(here):
        for each in makers:
            each(here)
    return make


def output_of_a_job(name):
    return all_of(directory(name), write(f"{name}/part-00000", b"a\t1\n"),
                  write(f"{name}/_SUCCESS", b""))


def plugin(name, change=lambda image: image):
    """The plugin of the tests, changed."""
    return lambda here: (here / name).write_bytes(
        change((TEST_PLUGINS / "faulty.so").read_bytes()))


def foreign_library(here):
    place = next(p for p in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib/libm.so.6",
                             "/lib/aarch64-linux-gnu/libm.so.6") if os.path.exists(p))
    shutil.copy(place, here / "foreign.so")


TABLE = all_of(directory("table/date=2024-01-01"), write("table/date=2024-01-01/a", b"x\n"))
SCRATCH = f"spillway-{os.getuid()}"  # In each spill directory.
LONG = "n" * 300

INPUTS = [
    Row("missing files, all at once", "run wordcount -i lost text gone -o out", NO_INPUT,
        ("2 of the inputs", "lost", "gone")),
    Row("a file where a directory should be", "run wordcount -i text/a -o out", NO_INPUT,
        ("text/a",)),
    Row("a name that no file can have", f"run wordcount -i {LONG} -o out", NO_INPUT,
        ("too long",)),
    Row("a name that would steer the terminal", "run wordcount -i 'no\x1b[31mthing' -o out",
        NO_INPUT, ("no\\x1b[31mthing", "no file matches")),
    Row("a pattern without files", "run wordcount -i '*.nothing' -o out", NO_INPUT,
        ("*.nothing", "no file matches")),
    Row("an empty directory", "run wordcount -i empty -o out", NO_INPUT,
        ("empty", "holds no files"), directory("empty")),
    Row("streaming without an output", "stream -m cat -i text", USAGE,
        ("missing: -o DIR", "spillway stream -m CMD -r CMD -i PATH")),
    Row("a pipe and a device", "run wordcount -i pipe /dev/null -o out", NO_INPUT,
        ("pipe", "/dev/null", "only regular files", "to a file first"), pipe("pipe")),
    Row("a file whose size says nothing", "run wordcount -i /proc/cpuinfo -o out", NO_INPUT,
        ("/proc/cpuinfo", "0 bytes", "copy it to a regular file first")),
    Row("a file that is made up and cannot be read", "run wordcount -i /proc/self/mem -o out",
        NO_INPUT, ("/proc/self/mem", "Input/output error")),
    Row("standard input", "run wordcount -i - -o out", NO_INPUT,
        ("-: standard input", "write it to a file first")),
    Row("a pipe in a directory", "run wordcount -i in -o out", NO_INPUT,
        ("in/pipe", "only regular files"), pipe("in/pipe")),
    Row("a directory that contains itself", "run wordcount -i in -o out", NO_INPUT,
        ("in/again", "contain itself"), link("in/again", "../in")),
    Row("a link to itself", "run wordcount -i self -o out", NO_INPUT, ("self",),
        link("self", "self")),
    Row("an empty directory whose name is a word of the message", "run wordcount -i files -o out",
        NO_INPUT, ("files: holds no files",), directory("files")),
    Row("a link to nothing, in a directory", "run wordcount -i in -o out", NO_INPUT, ("in/astray",),
        link("in/astray", "nowhere")),
    Row("a file named twice", "run wordcount -i text ./text -o out", USAGE,
        ("named twice", "text", "once")),
    Row("a file and a link to it", "run wordcount -i text link -o out", USAGE,
        ("named twice", "link"), link("link", "text")),
    Row("a condition that is none", "run wordcount -i in -o out --where date", USAGE,
        ("--where", "'date'", "KEY=VALUE")),
    Row("a condition on a key that no directory has",
        "run wordcount -i table -o out --where dat=2024-01-01", USAGE,
        ("table/date=2024-01-01/a", "dat=VALUE", "Did you mean date?"), TABLE),
    Row("a condition on an input without such directories",
        "run wordcount -i in -o out --where date=1", USAGE, ("in/a", "no directories named")),
    Row("a condition that nothing fits", "run wordcount -i table -o out --where 'date>2024-01-01'",
        NO_INPUT, ("date>2024-01-01", "1 were passed over", "table/date=2024-01-01"), TABLE),
    Row("a line over the memory", "run grep -i long -o out --memory 32M -- x", BAD_DATA,
        ("long:0", "--memory"), write("long", b"x" * 60_000_000)),
    Row("a side file that is not there", "run wordcount -i text -o out --file words=lost", NO_INPUT,
        ("--file words", "lost")),
    Row("a device as side file", "run wordcount -i text -o out --file words=/dev/zero", USAGE,
        ("--file words", "/dev/zero", "not a regular file")),
]

GZIP, BZIP2 = gzip.compress(b"a b a\n" * 2000), bz2.compress(b"a b a\n" * 2000)

ARCHIVES = [
    Row("an archive that breaks off", "run wordcount -i t.gz -o out", BAD_DATA,
        ("t.gz: byte", "compressed file", "ends too early", "gzip -t"),
        write("t.gz", GZIP[:-3])),
    Row("an archive with a wrong checksum", "run wordcount -i t.gz -o out", BAD_DATA,
        ("t.gz: byte", "damaged", "incorrect data check", "gzip -t"),
        write("t.gz", GZIP[:-8] + bytes(4) + GZIP[-4:])),
    Row("an archive with a wrong byte", "run wordcount -i t.bz2 -o out", BAD_DATA,
        ("t.bz2: byte", "damaged", "bzip2 -t"),
        write("t.bz2", BZIP2[:30] + bytes([BZIP2[30] ^ 1]) + BZIP2[31:])),
    Row("rubbish behind an archive", "run wordcount -i t.bz2 -o out", BAD_DATA,
        (f"t.bz2: byte {len(BZIP2)} of", "12000 bytes of text", "something else: 'rubbish'"),
        write("t.bz2", BZIP2 + b"rubbish")),
    Row("an empty file that should be an archive", "run wordcount -i text t.lz4 -o out", BAD_DATA,
        ("t.lz4: the file is empty",), write("t.lz4", b"")),
    Row("text that should be an archive", "run wordcount -i t.zst -o out", BAD_DATA,
        ("t.zst", "no archive of zstd", "'a b a\\x0a'", "rename"), write("t.zst", b"a b a\n")),
    Row("an archive of another kind than its name says", "run wordcount -i t.zst u.gz -o out",
        BAD_DATA, ("t.zst", "one of gzip", "rename", "1 more"),
        all_of(write("t.zst", GZIP), write("u.gz", BZIP2))),
    Row("an archive whose window no memory has", "run wordcount -i t.zst -o out", USAGE,
        ("memory", "too small"), write("t.zst", b"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00")),
]

OUTPUTS = [
    Row("an output that exists", "run wordcount -i text -o out", OUTPUT_EXISTS,
        ("out", "exists", "--overwrite"), directory("out")),
    Row("a file in the output's place", "run wordcount -i in -o text", OUTPUT_EXISTS, ("text",)),
    Row("a file is not overwritten", "run wordcount -i in -o text --overwrite", OUTPUT_EXISTS,
        ("text", "not a directory")),
    Row("a link to nothing in the output's place", "run wordcount -i text -o out", OUTPUT_EXISTS,
        ("out' is a symbolic link", "name a directory"), link("out", "nowhere")),
    Row("a link to a directory in the output's place", "run wordcount -i text -o out",
        OUTPUT_EXISTS, ("out' is a symbolic link", "name a directory"),
        all_of(directory("real"), link("out", "real"))),
    Row("what a link points to is not overwritten", "run wordcount -i text -o out/ --overwrite",
        OUTPUT_EXISTS, ("out' is a symbolic link", "name a directory"),
        all_of(output_of_a_job("real"), link("out", "real"))),
    Row("an output in a place that is not there", "run wordcount -i text -o no/such/out", NO_INPUT,
        ("no/such", "does not exist", "mkdir")),
    Row("an output below a file", "run wordcount -i in -o text/out", USAGE,
        ("output", "text/out", "Not a directory")),
    Row("an output inside the input", "run wordcount -i in -o in/out", USAGE, ("in/out", "in")),
    Row("the root as output", "run wordcount -i text -o /", OUTPUT_EXISTS, ("'/'",)),
    Row("the working directory as output", "run wordcount -i text -o . --overwrite", USAGE,
        ("'.'",)),
    Row("the working directory as output, of an input elsewhere",
        "run wordcount -i /etc/passwd -o . --overwrite", USAGE, ("'.'", "the working directory")),
    Row("what holds the working directory as output",
        "run wordcount -i /etc/passwd -o .. --overwrite", USAGE, ("'..'", "the working directory")),
    Row("an output whose name is too long", f"run wordcount -i text -o {LONG}", USAGE,
        ("output", "too long")),
    Row("an output whose name leaves no room for its staging",
        f"run wordcount -i text -o {'y' * 250}", USAGE, ("too long",)),
    Row("a part of the output as input", "run wordcount -i out/part-00000 -o out --overwrite",
        USAGE, ("out",), output_of_a_job("out")),
    Row("the parts of the output as input", "run wordcount -i 'out/part-*' -o out --overwrite",
        USAGE, ("out",), output_of_a_job("out")),
    Row("the output as input", "run wordcount -i out -o out --overwrite", USAGE, ("out",),
        output_of_a_job("out")),
    Row("partitions of a job that has none",
        "run wordcount -i text -o out --overwrite=partitions", USAGE,
        ("--overwrite=partitions", "wordcount", "KEY=VALUE"), output_of_a_job("out")),
    Row("an overwrite of nothing known", "run wordcount -i text -o out --overwrite=partition",
        USAGE, ("--overwrite", "Did you mean partitions?"), output_of_a_job("out")),
    Row("files that no job has written", "run wordcount -i text -o mine --overwrite", OUTPUT_EXISTS,
        ("'mine'", "no job's output", "_manifest.json", "choose another", "remove the directory"),
        all_of(directory("mine"), write("mine/thesis", b"x"))),
    Row("a job that fails keeps what it would have replaced",
        "run tera_sort -i text -o out --overwrite", BAD_DATA, ("text",), output_of_a_job("out")),
]

PLACES = [
    Row("a spill directory that is not there", "run wordcount -i text -o out --spill-dir lost",
        NO_INPUT, ("lost",)),
    Row("a file as spill directory", "run wordcount -i text -o out --spill-dir text", USAGE,
        ("'text'", "not a directory", "--spill-dir")),
    Row("a planted link in place of the scratch directory",
        "run wordcount -i text -o out --spill-dir spill", NOT_ALLOWED, (f"spill/{SCRATCH}",),
        all_of(directory("spill"), directory("precious"), write("precious/file", b"x"),
               link(f"spill/{SCRATCH}", "../precious"))),
    Row("a scratch directory that is open to others",
        "run wordcount -i text -o out --spill-dir spill", NOT_ALLOWED,
        (f"spill/{SCRATCH}", "open to other users", "--spill-dir"),
        directory(f"spill/{SCRATCH}", 0o777)),
]

PLUGINS = [
    Row("a plugin that is not there", "run ./missing.so -i text -o out", NO_INPUT, ("missing.so",)),
    Row("a text as plugin", "run ./text.so -i text -o out", BAD_DATA,
        ("text.so", "not an ELF shared library"), write("text.so", b"not a library")),
    Row("an empty plugin", "run ./empty.so -i text -o out", BAD_DATA,
        ("empty.so", "not an ELF shared library"), write("empty.so", b"")),
    Row("a library that is no plugin", "run ./foreign.so -i text -o out", BAD_DATA,
        ("foreign.so", "no Spillway plugin"), foreign_library),
    Row("a plugin for another architecture", "run ./mips.so -i text -o out -- none", BAD_DATA,
        ("mips.so", "another architecture"),
        plugin("mips.so", lambda image: image[:18] + b"\x08\x00" + image[20:])),
    Row("a pipe as plugin", "run ./pipe.so -i text -o out", BAD_DATA,
        ("pipe.so", "not a regular file"),
        pipe("pipe.so")),
    Row("a directory as plugin", "plugin inspect ./in", BAD_DATA, ("./in", "not a regular file")),
    Row("a plugin that cannot be read", "plugin inspect /proc/self/mem", BAD_DATA,
        ("cannot read plugin '/proc/self/mem'", "Input/output error")),
    Row("a device as plugin", "plugin inspect /dev/zero", BAD_DATA, ("/dev/zero",)),
]

FILTERS = [
    Row("a filter without a job", "exec-plugin --map", USAGE, ("missing: JOB",)),
    Row("a filter without a phase", "exec-plugin wordcount", USAGE, ("--map, --combine",)),
    Row("a filter with two phases", "exec-plugin wordcount --map --reduce", USAGE,
        ("which phase",)),
    Row("a filter that is a chain", "exec-plugin top_cities --map", USAGE,
        ("chain of several jobs", "spillway run")),
    Row("a filter of several inputs", "exec-plugin join --map", USAGE,
        ("several inputs by name", "spillway run")),
    Row("a filter that is a loop", "exec-plugin k_means --map -- 2", USAGE,
        ("iterative", "spillway run")),
    Row("a filter whose order nobody knows", "exec-plugin ./orders.so --map -- case-blind", USAGE,
        ("SortBy", "Descending"),
        lambda here: shutil.copy(TEST_PLUGINS / "orders.so", here / "orders.so")),
    Row("a filter without a combiner", "exec-plugin secondary_sort --combine", USAGE,
        ("no combiner",)),
    Row("a filter without a reducer", "exec-plugin grep --reduce -- x", USAGE, ("no reduce",)),
    Row("a filter that is not there", "exec-plugin ./lost.so --map", NO_INPUT, ("lost.so",)),
]

EXPORTS = [
    Row("an export without a place", "export spark-pipe wordcount", USAGE, ("missing: -o DIR",)),
    Row("an export of nothing to nowhere", "export spark-pipe", USAGE, ("missing: JOB, -o DIR",)),
    Row("an export onto a directory", "export hadoop-streaming wordcount -o in", OUTPUT_EXISTS,
        ("'in' exists",)),
    Row("an export into a place that is not there", "export spark-pipe wordcount -o no/such/dir",
        NO_INPUT, ("no/such",)),
    Row("an export whose side file is not there",
        "export spark-pipe wordcount -o out --file a=lost", NO_INPUT, ("--file a", "lost")),
    Row("an export whose side file leads elsewhere",
        "export spark-pipe wordcount -o out --file ../a=text", USAGE, ("'../a'",)),
    Row("an export of records that are no lines", "export hadoop-streaming tera_sort -o out", USAGE,
        ("no lines", "spillway run")),
    Row("an export of a chain", "export spark-pipe top_cities -o out", USAGE,
        ("chain of several jobs",)),
    Row("an export of a job that is not there", "export spark-pipe wordcuont -o out", USAGE,
        ("Did you mean wordcount",)),
    Row("an export without a kind", "export wordcount -o out", USAGE,
        ("no command 'export wordcount'",)),
]

NAMES = [
    Row("a directory that is no project", "run .. -i text -o out", NO_INPUT, ("CMakeLists.txt",)),
    Row("a built-in job beside the built-in ones", "run wordcount/../grep -i text -o out -- x",
        NO_INPUT, ("wordcount/../grep",)),
    Row("a job's name that would steer the terminal", "run 'word\x1b[31mcount' -i text -o out",
        USAGE, ("no built-in job",)),
    Row("conditions on one of several inputs",
        "run join -i left=text right=text -o out --where date=2024-01-01", USAGE,
        ("--where", "jobs of one input")),
    Row("an argument for a job that takes none", "run wordcount -i text -o out -- --what", USAGE,
        ("job wordcount", "what is meant by --what", "takes no arguments")),
    Row("a project named ..", "new ..", USAGE, ("..",)),
    Row("a project's name with a space", "new 'a b'", USAGE, ("a b",)),
    Row("a key's name that leads elsewhere", "keys add keys ../x --role worker", USAGE, ("../x",),
        directory("keys", 0o700)),
    Row("keys that are not there", "keys list lost", NO_INPUT, ("lost",)),
    Row("keys that others can enter", "keys list keys", NOT_ALLOWED, ("keys", "chmod 700"),
        all_of(directory("keys", 0o755), write("keys/authorized", b""))),
]

CONFIGURATIONS = [
    Row("a directory as configuration", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml",), directory("spillway.toml")),
    Row("a device as configuration", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml", "device"), link("spillway.toml", "/dev/zero")),
    Row("bytes that are no text as configuration", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml:1",), write("spillway.toml", bytes(range(256)))),
    Row("an array without end", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml:1",), write("spillway.toml", b"spill-dir = [")),
    Row("a key that is no setting", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml:2", "memroy", "memory"),
        write("spillway.toml", b"reducers = 1\nmemroy = 1\n")),
    Row("a value out of range", "run wordcount -i text -o out", CONFIGURATION,
        ("spillway.toml:1", "reducers", "-1"), write("spillway.toml", b"reducers = -1\n")),
    Row("a bad value in the environment", "run wordcount -i text -o out", CONFIGURATION,
        ("SPILLWAY_REDUCERS", "-1"), variables={"SPILLWAY_REDUCERS": "-1"}),
]

ON = "--on 127.0.0.1:9 --insecure --connect-timeout 300ms"
LISTEN = "coordinator --listen 127.0.0.1:0 --insecure"

CLUSTERS = [
    Row("a coordinator that is not there", f"jobs list {ON}", NOT_REACHABLE,
        ("127.0.0.1:9", "did not answer", "--connect-timeout")),
    Row("a submit to nobody", f"submit wordcount -i text -o out {ON}", NOT_REACHABLE,
        ("127.0.0.1:9", "did not answer", "--connect-timeout")),
    Row("a submit of a file that is not there", f"submit wordcount -i lost -o out {ON}", NO_INPUT,
        ("lost",)),
    Row("a port that does not exist", "jobs list --on 127.0.0.1:99999 --insecure", USAGE,
        ("99999",)),
    Row("a file as journal", f"{LISTEN} --journal text", USAGE, ("text", "Not a directory")),
    Row("a journal in a place that is not there", f"{LISTEN} --journal no/such/journal", NO_INPUT,
        ("no/such",)),
    Row("something else as journal", f"{LISTEN} --journal journal", DISK, ("journal.db", "move it"),
        all_of(directory("journal", 0o700), write("journal/journal.db", b"no database\n"))),
    Row("a worker's spill directory that is not there",
        "worker --coordinator 127.0.0.1:9 --insecure --spill-dir lost", NO_INPUT, ("lost",)),
]

ROWS = (INPUTS + ARCHIVES + OUTPUTS + PLACES + PLUGINS + FILTERS + EXPORTS + NAMES +
        CONFIGURATIONS + CLUSTERS)
