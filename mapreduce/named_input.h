// NamedInput: one of several inputs of a job, each with a mapper and a format of records of its
// own:
//
//   NewJob().MapInputs<NamedInput<"orders", ReadOrders>, NamedInput<"customers", ReadCustomers>>()
//           .Reduce<...>()
//   spillway run JOB -i orders=DIR -i customers=FILE... -o OUT
//
// All mappers emit the same types. Their pairs meet in one shuffle; those of one key come in the
// order in which the inputs stand here, then in that of the files. A task may read several inputs:
// a mapper is made, and its Setup called, when the first records of its input come to the task, and
// Teardown goes to the mappers that were made. Files of one input may be in another as well.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/block_records.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/emitter.h"

namespace spillway {

/// A name in a list of types.
template <std::size_t kBytes>
struct InputName {
  constexpr InputName(const char (&name)[kBytes]) {  // NOLINT: made of a literal.
    std::copy_n(name, kBytes, text);
  }
  constexpr std::string_view view() const { return {text, kBytes - 1}; }
  char text[kBytes];
};

/// `kName` has letters, digits, '_' and '-'.
template <InputName kName, class MapperClass>
struct NamedInput {
  using Mapper = MapperClass;
  static constexpr std::string_view kText = kName.view();
  static_assert(!kText.empty() && std::all_of(kText.begin(), kText.end(),
                                              [](char c) {
                                                return (c >= 'a' && c <= 'z') ||
                                                       (c >= 'A' && c <= 'Z') ||
                                                       (c >= '0' && c <= '9') || c == '_' ||
                                                       c == '-';
                                              }),
                "the name of an input has letters, digits, '_' and '-'");
};

namespace internal {

/// The mappers of a job's inputs, as the one that its adapter wants: it takes whole blocks.
template <class... Inputs>
class InputMappers {
  using First = typename std::tuple_element_t<0, std::tuple<Inputs...>>::Mapper;
  static_assert((std::is_same_v<typename First::Key, typename Inputs::Mapper::Key> && ...) &&
                    (std::is_same_v<typename First::Value, typename Inputs::Mapper::Value> && ...),
                "the mappers of a job's inputs emit the same types");

 public:
  using Key = typename First::Key;
  using Value = typename First::Value;
  using Emitter = spillway::Emitter<Key, Value>;
  struct Input {};  ///< Of no format: each mapper has its own.

  static std::vector<spillway_input> Describe() {
    return {{sizeof(spillway_input), 0, Inputs::kText.data(), Inputs::Mapper::Input::kName,
             Inputs::Mapper::Input::framing().abi}...};
  }
  static std::string MapperNames() {
    std::string names;
    ((names += (names.empty() ? "" : ", ") + TypeName(typeid(typename Inputs::Mapper))), ...);
    return names;
  }
  static std::string InputNames() {
    std::string names;
    ((names += std::string(names.empty() ? "" : ", ") + Inputs::Mapper::Input::kName + " (" +
               std::string(Inputs::kText) + ")"),
     ...);
    return names;
  }

  Status Setup(TaskContext&) { return OkStatus(); }

  void MapBlock(spillway_task* task, const spillway_block& block, Emitter& out) {
    if (block.struct_bytes < sizeof block || block.input >= sizeof...(Inputs))
      throw std::out_of_range(
          "the command or worker does not say which input this is: it is older "
          "than the plugin");
    ForEachInput([&]<class M>(std::optional<M>& mapper, std::size_t index) {
      if (index != block.input) return;
      As<M>(task, [&] {
        if (!mapper.has_value()) SetUp(mapper.emplace(), task);
        ForEachRecord<typename M::Input>(task, block, [&](const typename M::Input::Record& record) {
          mapper->Map(record, out);
        });
      });
    });
    task_ = task;
  }

  void Teardown(Emitter& out) {
    ForEachInput([&]<class M>(std::optional<M>& mapper, std::size_t) {
      if (mapper.has_value()) As<M>(task_, [&] { mapper->Teardown(out); });
    });
  }

 private:
  /// Blames what fails on the mapper's class.
  template <class M, class Body>
  static void As(spillway_task* task, Body&& body) {
    if (Guard(task, typeid(M), body) != 0) throw StopTask{};
  }

  template <class Use>
  void ForEachInput(Use&& use) {
    std::apply(
        [&](auto&... mapper) {
          std::size_t index = 0;
          (use(mapper, index++), ...);
        },
        mappers_);
  }

  std::tuple<std::optional<typename Inputs::Mapper>...> mappers_;
  spillway_task* task_ = nullptr;
};

template <class M>
inline constexpr bool kHasNamedInputs = false;
template <class... Inputs>
inline constexpr bool kHasNamedInputs<InputMappers<Inputs...>> = true;

}  // namespace internal
}  // namespace spillway
