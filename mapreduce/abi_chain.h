// The part of the binary contract (abi.h) that describes chains: jobs that the command runs one
// after the other. Plain C structs, with the same rules.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct spillway_job;

/// A chain whose rounds can run in either mode has stages for one mode alone. A stage that leaves
/// the counter "loop: state bytes" says what a process needs for the states of the loop behind it.
enum spillway_stage_when {
  SPILLWAY_STAGE_ALWAYS = 0,
  SPILLWAY_STAGE_IN_MEMORY = 1, /* in memory mode */
  SPILLWAY_STAGE_ON_DISK = 2    /* in disk mode */
};

/// One stage of a chain: a job, and what it reads.
typedef struct spillway_stage {
  uint32_t struct_bytes;
  const struct spillway_job* job; /* no chain itself; a loop only in a stage for memory mode */
  const uint32_t* inputs; /* earlier stages by their numbers, or SPILLWAY_STAGE_CHAIN_INPUT */
  size_t input_count;
  /* 0: it runs once. Otherwise it runs round after round, until a round leaves the counter
     "loop: changed" at 0 or this number is reached; the command's own choice wins. What a round
     has written is removed when the next one has ended. */
  uint32_t rounds_max;
  uint32_t when; /* spillway_stage_when */
} spillway_stage;

/// Whatever a stage but the last one writes is for later stages only.
typedef struct spillway_chain {
  uint32_t struct_bytes;
  const spillway_stage* stages;
  size_t stage_count;
} spillway_chain;

/// The files that the job was given.
#define SPILLWAY_STAGE_CHAIN_INPUT UINT32_MAX

/// The side file of every stage that says where the others' outputs are (mapreduce/chain_file.h).
#define SPILLWAY_CHAIN_FILE "spillway.chain"

}  // extern "C"
