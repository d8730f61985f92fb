// Job: the description of a job, made from the user's classes by NewJob():
//
//   NewJob().Map<M>()                            a Mapper; required, or
//           .MapInputs<NamedInput<"a", M>, ...>()  one for each input; see named_input.h
//           .Combine<C>()                        a Combiner; optional
//           .Partition<P>()                      HashPartitioner unless said
//           .SortBy<Compare>() .GroupBy<Group>() see comparator.h
//           .Reduce<R>() | .Fold<F>() | .MapOnly()   unless said: the sorted pairs themselves
//           .Write<Format>()                     TextOutput unless said
//           .Reducers(n)                         the command's --reducers wins
//
// Types are checked when the plugin is compiled; Validate checks the rest. A Job is a value that
// the plugin hands to the host.
#pragma once

#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/job_types.h"
#include "mapreduce/adapter/map_adapter.h"
#include "mapreduce/adapter/stage.h"
#include "mapreduce/base/status.h"
#include "mapreduce/builtin/text_output.h"
#include "mapreduce/comparator.h"
#include "mapreduce/mapper.h"
#include "mapreduce/named_input.h"
#include "mapreduce/partitioned_output.h"
#include "mapreduce/partitioner.h"
#include "mapreduce/reducer.h"

namespace spillway {

/// The most reduce tasks that a job may have.
inline constexpr std::uint32_t kReducersMax = 100'000;

class Job {
 public:
  /// What is wrong with the description, all of it in one message.
  Status Validate() const {
    std::string wrong;
    const auto need = [&](bool good, const char* what) {
      if (!good) wrong += (wrong.empty() ? "" : "; ") + std::string(what);
    };
    need(abi_.mapper_create != nullptr, "the job has no mapper: call Map<YourMapper>()");
    need(abi_.reducers_default <= kReducersMax, "Reducers() is above 100000");
    need(abi_.partition_kind == SPILLWAY_PARTITION_CUSTOM || abi_.same_group == nullptr,
         "a custom GroupBy needs a Partitioner of its own: the hash of the whole key would part "
         "its groups");
    need(abi_.partition_kind != SPILLWAY_PARTITION_RANGE || abi_.compare == nullptr,
         "RangePartitioner cuts ranges of key bytes and cannot follow a custom SortBy");
    need(abi_.map_only == 0 || abi_.combiner_run == nullptr, "a map-only job has no combiner");
    need(abi_.fold_kind == SPILLWAY_FOLD_NONE || abi_.combiner_run == nullptr,
         "an exact Fold needs no Combine: the map side folds already");
    need(abi_.framing.kind != SPILLWAY_FRAMING_FIXED || abi_.framing.fixed_bytes > 0,
         "fixed-size records have 0 bytes");
    for (std::size_t i = 0; i < abi_.input_count; ++i) {
      const spillway_input& input = abi_.inputs[i];
      need(input.framing.kind != SPILLWAY_FRAMING_FIXED || input.framing.fixed_bytes > 0,
           "an input's fixed-size records have 0 bytes");
      for (std::size_t j = 0; j < i; ++j)
        need(std::string_view(input.name) != abi_.inputs[j].name,
             "two inputs of the job have one name");
    }
    if (!wrong.empty()) return InvalidArgument(wrong);
    for (std::size_t i = 0; i < stages_.size(); ++i)
      SPILLWAY_RETURN_IF_ERROR(stages_[i]->Validate().Annotate("stage " + std::to_string(i)));
    return OkStatus();
  }

  const spillway_job& abi() const { return abi_; }

  /// Moves the description to where the host may keep it; see spillway_plugin::release.
  static const spillway_job* Publish(Job job, const char* name) {
    auto* kept = new Job(std::move(job));
    kept->Name(name);
    kept->abi_.owner = kept;
    return &kept->abi_;
  }
  static void Release(const spillway_job* job) { delete static_cast<Job*>(job->owner); }

 private:
  template <class Types>
  friend class JobBuilder;
  template <class Loop>
  friend class LoopBuilder;
  template <class Last>
  friend class ChainBuilder;

  /// Points the description to the names, which do not move any more.
  void Name(const char* name) {
    abi_.struct_bytes = sizeof abi_;
    abi_.name = name;
    abi_.mapper_name = mapper_name_.c_str();
    abi_.reducer_name = reducer_name_.empty() ? nullptr : reducer_name_.c_str();
    abi_.input_name = input_name_.c_str();
    abi_.output_name = output_name_.c_str();
    for (const std::shared_ptr<Job>& stage : stages_) stage->Name(name);
  }

  spillway_job abi_{};
  std::vector<std::shared_ptr<Job>> stages_;  ///< Of a chain.
  std::shared_ptr<const void> kept_;          ///< What abi_ points to beside the names.
  std::string mapper_name_, reducer_name_, input_name_, output_name_;
};

template <class Types>
class JobBuilder {
  template <class M, class Stage, class C, class P, class S, class G, class W>
  using With = JobBuilder<internal::JobTypes<M, Stage, C, P, S, G, W>>;
  using M = typename Types::Mapper;
  using T = Types;

 public:
  using JobTypes = Types;

  template <class NewMapper>
  auto Map() const {
    return Next<With<NewMapper, typename T::Stage, typename T::Combiner, typename T::Partitioner,
                     typename T::Sort, typename T::Group, typename T::Format>>();
  }
  template <class... NamedInputs>
  auto MapInputs() const {
    return Map<internal::InputMappers<NamedInputs...>>();
  }
  template <class C>
  auto Combine() const {
    static_assert(internal::kSameCodec<typename C::Key, typename C::OutKey> &&
                      internal::kSameCodec<typename C::Value, typename C::OutValue>,
                  "a combiner emits the types that it reads");
    return Next<With<M, typename T::Stage, C, typename T::Partitioner, typename T::Sort,
                     typename T::Group, typename T::Format>>();
  }
  template <class P>
  auto Partition() const {
    return Next<With<M, typename T::Stage, typename T::Combiner, P, typename T::Sort,
                     typename T::Group, typename T::Format>>();
  }
  template <class S>
  auto SortBy() const {
    return Next<With<M, typename T::Stage, typename T::Combiner, typename T::Partitioner, S,
                     typename T::Group, typename T::Format>>();
  }
  template <class G>
  auto GroupBy() const {
    return Next<With<M, typename T::Stage, typename T::Combiner, typename T::Partitioner,
                     typename T::Sort, G, typename T::Format>>();
  }
  template <class R>
  auto Reduce() const {
    return WithStage<internal::ReduceStage<R>>();
  }
  template <class F>
  auto Fold() const {
    return WithStage<internal::FoldStage<F>>();
  }
  auto MapOnly() const { return WithStage<internal::MapOnlyStage>(); }
  template <class W>
  auto Write() const {
    return Next<With<M, typename T::Stage, typename T::Combiner, typename T::Partitioner,
                     typename T::Sort, typename T::Group, W>>();
  }
  JobBuilder Reducers(std::uint32_t count) const {
    JobBuilder next = *this;
    next.reducers_ = count;
    return next;
  }

  operator Job() const { return Build(); }                       // NOLINT: reads well at return
  operator Result<Job>() const { return Result<Job>(Build()); }  // NOLINT

 private:
  template <class Other>
  friend class JobBuilder;

  template <class Builder>
  Builder Next() const {
    Builder next;
    next.reducers_ = reducers_;
    return next;
  }
  template <class Stage>
  auto WithStage() const {
    static_assert(std::is_same_v<typename T::Stage, internal::IdentityStage>,
                  "a job has one of Reduce, Fold and MapOnly");
    return Next<With<M, Stage, typename T::Combiner, typename T::Partitioner, typename T::Sort,
                     typename T::Group, typename T::Format>>();
  }

  Job Build() const {
    static_assert(!std::is_same_v<M, internal::Unset>, "call Map<YourMapper>() first");
    using K = typename M::Key;
    using V = typename M::Value;
    using Stage = internal::StageTraits<typename T::Stage, K, V, typename T::Format>;
    using Adapter = internal::MapAdapter<M, typename Stage::Delivery>;
    Job job;
    spillway_job& abi = job.abi_;
    DescribeInput(job);
    abi.mapper_create = &Adapter::Create;
    abi.mapper_map = &Adapter::Map;
    abi.mapper_finish = &Adapter::Finish;
    abi.mapper_destroy = &Adapter::Destroy;
    abi.map_only = std::is_same_v<typename T::Stage, internal::MapOnlyStage> ? 1 : 0;
    abi.reducer_run = Stage::kReduce;
    abi.reducers_default = reducers_;
    static_assert(!internal::kWritesDirectories<typename T::Format> ||
                      !internal::kHasFrame<typename T::Format>,
                  "a format with Begin or End cannot be PartitionedBy");
    abi.writes_directories = internal::kWritesDirectories<typename T::Format> ? 1 : 0;
    if constexpr (requires { Stage::Describe(abi); }) Stage::Describe(abi);
    if constexpr (Stage::kShufflesPairs) CheckDistinct();
    DescribeOrder<K>(abi);
    DescribePartition<K>(abi);
    using C = typename T::Combiner;
    if constexpr (!std::is_same_v<C, internal::Unset>) {
      static_assert(!Stage::kShufflesStates,
                    "an exact Fold needs no Combine: the map side folds already");
      static_assert(
          internal::kSameCodec<K, typename C::Key> && internal::kSameCodec<V, typename C::Value>,
          "the combiner's types are not the mapper's");
      abi.combiner_run = &internal::RunReducer<C, internal::PairDelivery<K, V>>;
      if constexpr (requires { C::kExact; }) abi.combiner_exact = C::kExact ? 1 : 0;
    }
    job.reducer_name_ = Stage::Name();
    job.output_name_ = T::Format::kName;
    return job;
  }

  static void DescribeInput(Job& job) {
    if constexpr (internal::kHasNamedInputs<M>) {
      auto inputs = std::make_shared<const std::vector<spillway_input>>(M::Describe());
      job.abi_.framing = inputs->front().framing;
      job.abi_.inputs = inputs->data();
      job.abi_.input_count = inputs->size();
      job.kept_ = std::move(inputs);
      job.mapper_name_ = M::MapperNames();
      job.input_name_ = M::InputNames();
    } else {
      job.abi_.framing = M::Input::framing().abi;
      job.mapper_name_ = internal::TypeName(typeid(M));
      job.input_name_ = M::Input::kName;
    }
  }

  /// Distinct brings its own order and grouping, and K is not what its shuffle sees as the key.
  static void CheckDistinct() {
    using P = typename T::Partitioner;
    static_assert(std::is_same_v<typename T::Sort, internal::Unset>,
                  "Distinct sorts by key and value itself: no SortBy");
    static_assert(std::is_same_v<typename T::Group, internal::Unset>,
                  "Distinct groups by the whole key: no GroupBy");
    static_assert(std::is_same_v<P, internal::Unset> || std::is_same_v<P, HashPartitioner> ||
                      std::is_same_v<P, RangePartitioner>,
                  "Distinct takes HashPartitioner or RangePartitioner only");
  }

  template <class K>
  static void DescribeOrder(spillway_job& abi) {
    using S = typename T::Sort;
    using G = typename T::Group;
    if constexpr (!std::is_same_v<S, internal::Unset>) abi.compare = &internal::CompareKeys<K, S>;
    if constexpr (std::is_same_v<G, GroupByFirst>) {
      abi.group_bytes = &internal::FirstPartBytes<K>;
    } else if constexpr (!std::is_same_v<G, internal::Unset>) {
      abi.same_group = &internal::SameGroupKeys<K, G>;
    }
  }

  template <class K>
  static void DescribePartition(spillway_job& abi) {
    using P = typename T::Partitioner;
    constexpr bool kUnset = std::is_same_v<P, internal::Unset>;
    static_assert(!kUnset || std::is_same_v<typename T::Sort, internal::Unset>,
                  "a custom SortBy names its partitioner: Partition<HashPartitioner>() if keys "
                  "that compare equal have equal bytes, else a Partitioner of your own");
    if constexpr (std::is_same_v<P, RangePartitioner>) {
      abi.partition_kind = SPILLWAY_PARTITION_RANGE;
    } else if constexpr (!kUnset && !std::is_same_v<P, HashPartitioner>) {
      abi.partition_kind = SPILLWAY_PARTITION_CUSTOM;
      abi.partition = &internal::RunPartitioner<P, K>;
    }
  }

  std::uint32_t reducers_ = 0;
};

/// The start of every description.
inline auto NewJob() {
  using internal::Unset;
  return JobBuilder<
      internal::JobTypes<Unset, internal::IdentityStage, Unset, Unset, Unset, Unset, TextOutput>>();
}

}  // namespace spillway
