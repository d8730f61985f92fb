// ReporterLines: what a command writes to stderr. Lines of Hadoop's reporter become counters and
// statuses; the others are the user's to see, up to a limit, and their end explains a failure.
// Pure; one thread.
//
//   reporter:counter:GROUP,NAME,AMOUNT       reporter:status:TEXT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace spillway {

class ReporterLines {
 public:
  struct Sinks {
    std::function<void(const std::string& group, const std::string& name, std::uint64_t amount)>
        counter;
    std::function<void(std::string_view text)> status;
    std::function<void(std::string_view bytes)> other;  ///< Whole lines; a long one in pieces.
  };

  explicit ReporterLines(Sinks sinks) : sinks_(std::move(sinks)) {}

  void Add(std::string_view bytes);
  void Finish();

  /// The last lines that were no reporter's, some KiB of them; "" when there were none.
  const std::string& tail() const { return tail_; }

 private:
  void AddLine(std::string_view line);
  void Show(std::string_view line);

  Sinks sinks_;
  std::string line_;  ///< So far.
  std::string tail_;
  std::size_t shown_bytes_ = 0;
};

}  // namespace spillway
