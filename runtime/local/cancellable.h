// Cancellable: work that can be asked to stop from a signal handler. An interface.
#pragma once

namespace spillway {

class Cancellable {
 public:
  virtual ~Cancellable() = default;

  /// Asks the work to stop and clean up; it ends within seconds. May be called from any thread and
  /// from a signal handler.
  virtual void Cancel() = 0;
};

}  // namespace spillway
