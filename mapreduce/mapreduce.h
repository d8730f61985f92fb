// Everything a plugin usually needs. Word count, whole:
//
//   #include <mapreduce/mapreduce.h>
//   using namespace spillway;
//
//   class CountWords : public Mapper<WordChunks, std::string, std::uint64_t> {
//    public:
//     void Map(const Chunk& chunk, Emitter& out) {
//       ForEachWord(chunk.text, [&](std::string_view word) { out.Emit(word, 1); });
//     }
//   };
//
//   SPILLWAY_PLUGIN("wordcount", "counts words", "") {
//     return NewJob().Map<CountWords>().Fold<Sum<std::uint64_t>>();
//   }
#pragma once

#include "mapreduce/builtin/broadcast_table.h"
#include "mapreduce/builtin/csv_input.h"
#include "mapreduce/builtin/fixed_input.h"
#include "mapreduce/builtin/folds.h"
#include "mapreduce/builtin/join.h"
#include "mapreduce/builtin/merge_join.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/builtin/search.h"
#include "mapreduce/builtin/text_input.h"
#include "mapreduce/builtin/text_output.h"
#include "mapreduce/builtin/words.h"
#include "mapreduce/chain.h"
#include "mapreduce/codec.h"
#include "mapreduce/codec_tuple.h"
#include "mapreduce/comparator.h"
#include "mapreduce/counters.h"
#include "mapreduce/input_format.h"
#include "mapreduce/iteration.h"
#include "mapreduce/job.h"
#include "mapreduce/mapper.h"
#include "mapreduce/named_input.h"
#include "mapreduce/named_output.h"
#include "mapreduce/output_format.h"
#include "mapreduce/partition_path.h"
#include "mapreduce/partitioned_output.h"
#include "mapreduce/partitioner.h"
#include "mapreduce/plugin.h"
#include "mapreduce/reducer.h"
#include "mapreduce/task_context.h"
