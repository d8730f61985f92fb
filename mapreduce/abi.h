// The binary contract between the host (the spillway command or a worker) and a plugin. Plain C
// structs; all but spillway_record begin with their own size. No exception, no STL type and no
// ownership of memory crosses it. Users do not write against this file; job.h fills these structs
// from their classes.
//
// Growth: fields are only ever appended, or take the place of a reserved word, 0 in older plugins.
// The host takes a plugin whose abi_version is its own and whose spillway_plugin and spillway_job
// are at least as large as the host's, so a plugin may know more fields than its host and never
// fewer; each side reads the fields that it knows. Whoever wants to read an older, smaller struct
// must look at struct_bytes first, as the host does for spillway_loop, whose `traits` is newer.
//
// Threads: the host may run several tasks of one plugin at once, each on its own thread with its
// own mapper or reducer object; one task never leaves its thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mapreduce/abi_chain.h"

extern "C" {

/// Changes when a field's meaning does. Growth at the end of a struct does not change it.
#define SPILLWAY_ABI_VERSION 1u

/// Bytes that are readable (not meaningful) behind every key and behind every input block, so that
/// vector code may load whole registers.
#define SPILLWAY_PADDING_BYTES 64u

/// One key with its value, as views. Valid during the call that passes it. A fold whose state has
/// exactly 8 bytes passes the state in the `value` field itself (see `state_bytes`).
typedef struct spillway_record {
  const char* key;
  const char* value;
  uint32_t key_bytes;
  uint32_t value_bytes;
} spillway_record;

/// A piece of an input file that holds whole records only, as the framing defines them.
/// SPILLWAY_PADDING_BYTES behind data + bytes are readable.
typedef struct spillway_block {
  uint32_t struct_bytes;
  uint32_t file_index; /* in the job's list of inputs */
  const char* data;
  uint64_t bytes;
  uint64_t file_offset; /* of data[0] */
  const char* path;
  const char* const* skips; /* records to pass over, by their first byte, ascending */
  size_t skip_count;
  uint32_t input; /* in spillway_job::inputs; 0 where there are none */
  uint32_t reserved;
} spillway_block;

/// Sorted records in groups. groups[i] is the index in `records` at which the i-th new group of
/// this batch begins; records before groups[0] belong to the group that the last batch ended with.
typedef struct spillway_groups {
  uint32_t struct_bytes;
  uint32_t record_count; /* 0 when the input is at its end */
  const spillway_record* records;
  const uint32_t* groups;
  uint32_t group_count;
} spillway_groups;

/// A running task as the plugin sees it. Calls that return int answer 0 to go on; anything else
/// means that the host has recorded a failure or a cancel, and the plugin returns at once.
struct spillway_job;
typedef struct spillway_task {
  uint32_t struct_bytes;
  uint32_t task_index;
  uint32_t attempt;
  uint32_t partition_count;
  void* host;
  const char* job_name;
  const char* const* args; /* the job's own arguments */
  size_t arg_count;

  /* Where the plugin is: the host reads it when the task fails or crashes. */
  const char* volatile current_record;
  uint64_t records_in;  /* counted by the plugin: input records, or groups of a reduce */
  uint64_t records_out; /* counted by the plugin: records formatted to task->write */

  uint64_t* (*counter)(void* host, const char* group, const char* name);
  void (*set_status)(void* host, const char* text, size_t bytes);
  void (*fail)(void* host, int32_t code, const char* text, size_t bytes);
  const char* (*side_file)(void* host, const char* name); /* a path, or null */
  const char* (*input_path)(void* host, uint32_t file_index);
  int (*collect)(void* host, const spillway_record* records, size_t count);
  int (*next_groups)(void* host, spillway_groups* groups);
  int (*write)(void* host, const char* data, size_t bytes); /* formatted output */

  const struct spillway_job* job; /* that the task belongs to */

  /* Formatted output of so many whole records for a directory of the job's output, "errors" or
     "date=2024-01-01/hour=7", which the host checks. Not in a combiner. */
  int (*write_to)(void* host, const char* directory, size_t directory_bytes, const char* data,
                  size_t bytes, uint64_t records);
  void* outputs; /* the plugin's own, null at first; the host leaves it alone */
} spillway_task;

enum spillway_framing_kind {
  SPILLWAY_FRAMING_DELIMITED = 0, /* records end with `delimiter` or the end of the file */
  SPILLWAY_FRAMING_SPACES = 1,    /* blocks are cut behind any byte <= 0x20 */
  SPILLWAY_FRAMING_FIXED = 2,     /* records of `fixed_bytes`; a shorter last one is bad data */
  SPILLWAY_FRAMING_CUSTOM = 3     /* find_start and record_bytes decide */
};

typedef struct spillway_framing {
  uint32_t struct_bytes;
  uint32_t kind; /* spillway_framing_kind */
  uint64_t fixed_bytes;
  unsigned char delimiter;
  /* Offset in data of the first record that begins in a split which starts at data[0] and is not
     the file's first; UINT64_MAX to ask for more bytes. Null: each file is one split. */
  uint64_t (*find_start)(const char* data, uint64_t bytes, int at_end);
  /* Bytes of the record that begins at data[0]; 0 to ask for more; UINT64_MAX for bad data. */
  uint64_t (*record_bytes)(const char* data, uint64_t bytes, int at_end);
} spillway_framing;

/// One of several inputs of a job, which people give as NAME=PATH. Its records are its own.
typedef struct spillway_input {
  uint32_t struct_bytes;
  uint32_t reserved;
  const char* name;
  const char* format_name; /* of its records, for messages */
  spillway_framing framing;
} spillway_input;

enum spillway_partition_kind {
  SPILLWAY_PARTITION_HASH = 0,  /* XXH3 of the group's key bytes */
  SPILLWAY_PARTITION_RANGE = 1, /* cut points sampled by the host: total order over the parts */
  SPILLWAY_PARTITION_CUSTOM = 2 /* the plugin's function */
};

enum spillway_fold_kind {
  SPILLWAY_FOLD_NONE = 0,
  SPILLWAY_FOLD_CUSTOM = 1,  /* fold_combine */
  SPILLWAY_FOLD_SUM_U64 = 2, /* wrapping 64-bit addition, signed or unsigned */
  SPILLWAY_FOLD_MIN_U64 = 3,
  SPILLWAY_FOLD_MAX_U64 = 4,
  SPILLWAY_FOLD_MIN_I64 = 5,
  SPILLWAY_FOLD_MAX_I64 = 6
};

/// Takes the bytes that an object of a loop is saved as, piece after piece; nonzero: stop.
typedef struct spillway_sink {
  void* host;
  int (*put)(void* host, const char* data, size_t bytes);
} spillway_sink;

/// Takes full batches of a loop's input. The host owns them from the call on, whatever it answers.
typedef struct spillway_batch_sink {
  void* host;
  int (*take)(void* host, void* batch);
} spillway_batch_sink;

/// The objects of a loop that the host keeps without knowing what is in them.
enum spillway_loop_object {
  SPILLWAY_LOOP_BATCH = 0,   /* parsed records */
  SPILLWAY_LOOP_START = 1,   /* what round 0 gathers from batches */
  SPILLWAY_LOOP_PARTIAL = 2, /* what every later round makes of batches and the state */
  SPILLWAY_LOOP_STATE = 3    /* what a round knows */
};

/// What a plugin says of its loop, in spillway_loop::traits.
enum spillway_loop_trait {
  /* `map` is called with a null batch as well: once for each PARTIAL, after its part's last batch.
     Without this, never. */
  SPILLWAY_LOOP_FINISHES_PARTS = 1,
  /* `next` makes the state of its round's total alone, whatever the state held before; it may be
     given a new one, and rounds before may be left out. */
  SPILLWAY_LOOP_ROUNDS_STAND_ALONE = 2
};

/// An iterative job: each round maps all batches, folds what that leaves, and makes the next state
/// of it. Round 0 gathers STARTs, of which `next` makes the first state; the rounds after it map
/// PARTIALs. Functions run in tasks and fail as those of spillway_job do; they must be
/// deterministic, since every process folds and steps for itself. Any number of threads may call
/// them at once, on objects of their own; `self` and states are then only read.
typedef struct spillway_loop {
  uint32_t struct_bytes;
  uint32_t rounds_max; /* the most rounds after round 0; the command's own choice wins */
  const char* class_name;
  const void* self; /* the user's object */

  void* (*create)(const void* self, spillway_task* task, uint32_t object); /* null on failure */
  void (*destroy)(uint32_t object, void* it);
  int (*save)(const void* self, spillway_task* task, uint32_t object, const void* it,
              const spillway_sink* to);
  /* Into an object just created. */
  int (*load)(const void* self, spillway_task* task, uint32_t object, void* it, const char* data,
              size_t bytes);
  uint64_t (*batch_bytes)(const void* batch); /* of memory, about */

  /* Adds the block's records to *batch, which is created when it is null and handed over when it
     holds SPILLWAY_LOOP_BATCH_RECORDS. What is left in it at the end of a part is the caller's. */
  int (*parse)(const void* self, spillway_task* task, const spillway_block* block, void** batch,
               const spillway_batch_sink* full);
  /* Adds a batch to a START (state is null) or a PARTIAL. A null batch: the part has no more. */
  int (*map)(const void* self, spillway_task* task, uint32_t object, const void* batch,
             const void* state, void* into);
  /* into = into + from. */
  int (*fold)(const void* self, spillway_task* task, uint32_t object, void* into, const void* from);
  /* The state of the round after `round`, of the fold of all its STARTs or PARTIALs, which is used
     up. */
  int (*next)(const void* self, spillway_task* task, uint32_t round, void* state, void* total,
              int* converged);
  int (*print)(const void* self, spillway_task* task, const void* state); /* to task->write */

  uint32_t traits; /* spillway_loop_trait, added; struct_bytes says whether it is there */
  uint32_t reserved;
} spillway_loop;

/// Records of a batch, counted from the beginning of a part: the last batch of a part may have
/// fewer. Part of what the bytes of a result depend on.
#define SPILLWAY_LOOP_BATCH_RECORDS 4096u

/// One job, fully described. Made by spillway_plugin::configure; lives until release. Functions
/// that take `self` or `task` and return int return 0, or nonzero after task->fail or after the
/// host's own stop; mapper_create returns null then. The others cannot fail.
typedef struct spillway_job {
  uint32_t struct_bytes;
  const char* name;
  const char* mapper_name;  /* the user's class names, for messages */
  const char* reducer_name; /* null when there is none */
  const char* input_name;
  const char* output_name;

  spillway_framing framing;

  void* (*mapper_create)(spillway_task* task); /* null on failure */
  int (*mapper_map)(void* self, spillway_task* task, const spillway_block* block);
  int (*mapper_finish)(void* self, spillway_task* task);
  void (*mapper_destroy)(void* self);

  uint32_t map_only;         /* mapper output goes to task->write, formatted */
  uint32_t reducers_default; /* 0: the host chooses */

  /* Order and grouping. All null: keys compare as bytes, a group is one key. */
  int (*compare)(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes);
  uint32_t (*group_bytes)(const char* key,
                          uint32_t key_bytes); /* leading bytes that name the group */
  int (*same_group)(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes);

  uint32_t partition_kind;
  /* Fills out[i] in [0, partitions) for each record; nonzero after task->fail. */
  int (*partition)(spillway_task* task, const spillway_record* records, size_t count,
                   uint32_t partitions, uint32_t* out);

  /* Fold: an associative, commutative and exact operation on a state of fixed size. */
  uint32_t fold_kind;
  uint32_t state_bytes; /* a multiple of 8; exactly 8 travels in record.value */
  /* states[i] = states[i] + values[i], in order; a state may occur more than once. */
  void (*fold_combine)(void* const* states, const void* const* values, size_t count);

  /* Combiner: reads task->next_groups, answers with task->collect. Null: none. */
  int (*combiner_run)(spillway_task* task);

  /* Reducer: reads task->next_groups, answers with task->write. Null when map_only. */
  int (*reducer_run)(spillway_task* task);

  void* owner; /* the plugin's own; the host leaves it alone */

  /* An iterative job; null: none. The functions above then run one round of it, as an ordinary job
     whose side file SPILLWAY_LOOP_FILE says which (docs/formats/loop.md). */
  const spillway_loop* loop;

  /* Jobs to run one after the other; null: none. The functions above are then those of its first
     stage. */
  const spillway_chain* chain;

  /* Inputs by name, each with a framing of its own, and `framing` is that of the first; null: there
     is one, without a name. */
  const spillway_input* inputs;
  size_t input_count;

  uint32_t writes_directories; /* all results go to task->write_to, none to task->write */
  uint32_t combiner_exact;     /* the output has the same bytes in whatever steps it combines */
} spillway_job;

#define SPILLWAY_LOOP_FILE "spillway.loop"

typedef struct spillway_plugin {
  uint32_t struct_bytes;
  uint32_t abi_version;
  const char* name;
  const char* summary;     /* one line for lists */
  const char* usage;       /* its own arguments, e.g. "PATTERN"; may be empty */
  const char* sdk_version; /* the Spillway version whose headers it was built with */
  const char* compiler;
  /* Makes the job for these arguments; null with a message in `error` when they are wrong. */
  const spillway_job* (*configure)(const char* const* args, size_t arg_count, char* error,
                                   size_t error_bytes);
  void (*release)(const spillway_job* job);
} spillway_plugin;

/// The one symbol that a plugin exports, under the name SPILLWAY_PLUGIN_SYMBOL.
typedef const spillway_plugin* (*spillway_plugin_entry)(void);
#define SPILLWAY_PLUGIN_SYMBOL "spillway_plugin_v1"

}  // extern "C"
