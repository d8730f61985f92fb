#include "shuffle/engine/fold_run.h"

#include "shuffle/engine/table_order.h"

namespace spillway {

Status WriteFoldRun(FoldTable& table, const CollectorOptions& options, SegmentWriter& writer) {
  const std::uint32_t state_bytes = table.state_bytes();
  TableOrder order(table, options);
  SPILLWAY_RETURN_IF_ERROR(order.AssignPartitions());
  writer.BeginRun();
  for (std::uint32_t p = 0; p < options.partitions; ++p) {
    const std::span<const FoldEntry> part = order.Sort(p);
    for (std::size_t i = 0; i < part.size(); ++i) {
      order.PrefetchSlot(part, i);
      const FoldSlot& slot = order.slot(part[i]);
      const Record record{slot.key_data(), slot.state_data(state_bytes), slot.key_bytes(),
                          state_bytes};
      SPILLWAY_RETURN_IF_ERROR(writer.Add(p, record));
    }
  }
  SPILLWAY_RETURN_IF_ERROR(writer.FinishRun());
  table.Clear();
  return OkStatus();
}

}  // namespace spillway
