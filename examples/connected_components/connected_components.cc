// The connected components of a graph, whichever way its edges point: lines `from TAB to` in, lines
// `vertex TAB component` out. A component is called by the first of its vertices, in the order of
// names; components come in that order, and so do their vertices.
#include <mapreduce/keyed_loop.h>
#include <mapreduce/mapreduce.h>

#include <algorithm>

using namespace spillway;

/// A component is as deep as its longest path; messages need a round for each step.
constexpr std::uint32_t kRoundsMax = 1'000;

class Components {
 public:
  using Value = std::uint64_t;  ///< The smallest number of a vertex that is known to be connected.
  using Message = std::uint64_t;
  struct Total {
    char nothing = 0;
  };
  static constexpr bool kBothWays = true;

  std::uint64_t First(const Vertex& vertex, std::uint64_t) const { return vertex.number; }
  void Add(Total&, const Vertex&, std::uint64_t) const {}
  void Join(Total&, const Total&) const {}
  std::uint64_t Send(const Vertex&, std::uint64_t smallest) const { return smallest; }
  void Fold(std::uint64_t& into, std::uint64_t from) const { into = std::min(into, from); }
  std::uint64_t Next(const Vertex&, std::uint64_t smallest, const std::uint64_t* received,
                     const Total&, std::uint64_t) const {
    return received == nullptr ? smallest : std::min(smallest, *received);
  }
  bool Changed(std::uint64_t smallest, std::uint64_t next) const { return next != smallest; }
};

/// (component, vertex): the first vertex of a component is the one that names it.
using Member = std::pair<std::uint64_t, std::uint64_t>;

class ListMembers : public ResultMapper<Components, Member, std::string> {
 public:
  void Map(const Pair<std::string, std::uint64_t>& vertex, Emitter& out) {
    out.Emit({ValueOf(vertex), NumberOf(vertex)}, vertex.key);
  }
};

class NameComponents : public Reducer<Member, std::string, std::string, std::string> {
 public:
  void Reduce(const View<Member>&, Values& vertices, Emitter& out) {
    std::string component;
    bool first = true;
    for (const std::string_view vertex : vertices) {
      if (std::exchange(first, false)) component = vertex;
      out.Emit(vertex, component);
    }
  }
};

SPILLWAY_PLUGIN("connected_components", "connected components of a graph: lines `from TAB to`",
                "") {
  return KeyedChain<Components>(kRoundsMax)
      .Then(NewJob()
                .Map<ListMembers>()
                .Partition<RangePartitioner>()
                .GroupBy<GroupByFirst>()
                .Reduce<NameComponents>(),
            {kGraphVertices});
}
