#include "runtime/task/crash_report.h"

#include <link.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace spillway {

namespace {

thread_local const CrashScene* current_scene = nullptr;
thread_local BoardSlot* current_slot = nullptr;
std::atomic<SlotBoard*> crash_board{nullptr};
int crash_exit_code = 1;

/// Where the last loaded plugin's code lies.
struct PluginCode {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  const char* path = "";
};
PluginCode plugin_code;

/// A stack for the handler, so that user code which overflowed its own is reported as well.
class SignalStack {
 public:
  SignalStack() : bytes_(std::make_unique<char[]>(kBytes)) {
    const stack_t stack{bytes_.get(), 0, kBytes};
    ::sigaltstack(&stack, nullptr);
  }
  ~SignalStack() {
    const stack_t none{nullptr, SS_DISABLE, 0};
    ::sigaltstack(&none, nullptr);
  }

 private:
  static constexpr std::size_t kBytes = 64 << 10;
  std::unique_ptr<char[]> bytes_;
};

/// Fixed room for one message; no allocation, no locale.
class Message {
 public:
  Message& Text(const char* text) { return Bytes(text, std::strlen(text)); }

  Message& Number(std::uint64_t number) {
    char digits[20];
    std::size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return Bytes(digits + at, sizeof digits - at);
  }

  /// At most `bytes_max` of the data, other than printable ASCII as \xNN.
  Message& Escaped(const char* data, std::size_t bytes, std::size_t bytes_max) {
    constexpr char kHex[] = "0123456789abcdef";
    for (std::size_t i = 0; i < bytes && i < bytes_max; ++i) {
      const auto c = static_cast<unsigned char>(data[i]);
      if (c >= 0x20 && c < 0x7f) {
        Bytes(data + i, 1);
      } else {
        const char hex[] = {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
        Bytes(hex, sizeof hex);
      }
    }
    return bytes > bytes_max ? Text("...") : *this;
  }

  /// As a C string in `room` bytes.
  void CopyTo(char* to, std::size_t room) const {
    const std::size_t bytes = used_ < room - 1 ? used_ : room - 1;
    std::memcpy(to, text_, bytes);
    to[bytes] = '\0';
  }

  void Print() const {
    const ssize_t ignored = ::write(STDERR_FILENO, text_, used_);
    static_cast<void>(ignored);
  }

 private:
  Message& Bytes(const char* data, std::size_t bytes) {
    if (bytes > sizeof text_ - used_) bytes = sizeof text_ - used_;
    std::memcpy(text_ + used_, data, bytes);
    used_ += bytes;
    return *this;
  }

  char text_[4096];
  std::size_t used_ = 0;
};

constexpr std::size_t kShownBytesMax = 120;

/// The record of the block at `at`, which lies in it.
void AddRecord(const spillway_block& block, const char* at, Message& message) {
  const auto rest = static_cast<std::size_t>(block.data + block.bytes - at);
  const void* newline = std::memchr(at, '\n', rest < kShownBytesMax ? rest : kShownBytesMax);
  const std::size_t bytes =
      newline == nullptr ? rest : static_cast<std::size_t>(static_cast<const char*>(newline) - at);
  message.Escaped(at, bytes, kShownBytesMax);
}

/// The record of the batch whose key is at `at`, or null.
const spillway_record* FindKey(const spillway_groups& groups, const char* at) {
  for (std::uint32_t i = 0; i < groups.record_count; ++i)
    if (groups.records[i].key == at) return &groups.records[i];
  return nullptr;
}

/// "at FILE:OFFSET, record '...'" or "at key '...'", as far as it is known.
void AddPlace(const CrashScene& scene, Message& message) {
  const char* const at = scene.task->current_record;
  if (scene.block != nullptr) {
    const spillway_block& block = *scene.block;
    const bool inside = at >= block.data && at < block.data + block.bytes;
    const std::uint64_t offset = inside ? static_cast<std::uint64_t>(at - block.data) : 0;
    message.Text(" at ").Text(block.path).Text(":").Number(block.file_offset + offset);
    if (!inside) return;
    message.Text(", record '");
    AddRecord(block, at, message);
    message.Text("'");
    return;
  }
  if (const spillway_record* record = FindKey(scene.groups, at))
    message.Text(" at key '").Escaped(record->key, record->key_bytes, kShownBytesMax).Text("'");
}

void Report(const CrashScene& scene, const char* what) {
  Message message;
  message.Text("\nspillway: ").Text(scene.user_class).Text(" ").Text(what);
  AddPlace(scene, message);
  message.Text(" (").Text(scene.kind).Text(" task ").Number(scene.task->task_index);
  message.Text(", attempt ").Number(scene.task->attempt);
  message.Text(
      "). The job has failed and no output was written. Run the plugin on this record "
      "under a debugger or with -fsanitize=address.\n");
  message.Print();
}

const char* SignalText(int signal) {
  switch (signal) {
    case SIGSEGV: return "crashed: segmentation fault (SIGSEGV)";
    case SIGBUS: return "crashed: bus error (SIGBUS)";
    case SIGFPE: return "crashed: arithmetic error such as division by zero (SIGFPE)";
    case SIGILL: return "crashed: illegal instruction (SIGILL)";
    default: return "aborted (SIGABRT): an assertion or an exception that nobody catches";
  }
}

/// The instruction that raised the signal.
std::uintptr_t CrashedAt(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#endif
}

bool InPluginCode(std::uintptr_t at) { return at >= plugin_code.begin && at < plugin_code.end; }

/// Leaves on the board what this thread was at.
void Record(SlotBoard& board, const char* what) {
  Message text;
  text.Text(what);
  BoardSlot* const slot = current_slot;
  if (slot == nullptr) {
    text.CopyTo(board.process_crash(), BoardSlot::kTextBytes);
    return;
  }
  text.CopyTo(slot->what, sizeof slot->what);
  Message snippet;
  if (const CrashScene* scene = current_scene) {
    const char* const at = scene->task->current_record;
    if (const spillway_block* block = scene->block) {
      if (at >= block->data && at < block->data + block->bytes) AddRecord(*block, at, snippet);
    } else if (const spillway_record* record = FindKey(scene->groups, at)) {
      snippet.Escaped(record->key, record->key_bytes, kShownBytesMax);
      slot->snippet_is_key = 1;
    }
    slot->ShowClass(scene->user_class);
  }
  snippet.CopyTo(slot->snippet, sizeof slot->snippet);
  slot->crashed.store(1, std::memory_order_release);
}

void RecordSignal(SlotBoard& board, int signal, std::uintptr_t at) {
  Message what;
  what.Text(SignalText(signal));
  if (current_scene == nullptr && current_slot != nullptr) {
    current_slot->ShowClass(InPluginCode(at) ? "the plugin" : kEngineClass);
    what.Text(InPluginCode(at)
                  ? " outside of a map or reduce call, in a function such as its comparator"
                  : " outside of the plugin's code");
  }
  char text[BoardSlot::kTextBytes];
  what.CopyTo(text, sizeof text);
  Record(board, text);
}

void OnSignal(int signal, siginfo_t*, void* context) {
  const std::uintptr_t at = CrashedAt(context);
  if (SlotBoard* const board = crash_board.load(std::memory_order_acquire)) {
    RecordSignal(*board, signal, at);
    std::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  if (current_scene != nullptr) {
    Report(*current_scene, SignalText(signal));
    ::_exit(crash_exit_code);
  }
  if (InPluginCode(at)) {
    Message message;
    message.Text("\nspillway: the plugin '").Text(plugin_code.path).Text("' ");
    message.Text(SignalText(signal));
    message.Text(
        " outside of a map or reduce call, in a function such as its comparator. The job "
        "has failed and no output was written.\n");
    message.Print();
    ::_exit(crash_exit_code);
  }
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

void OnExit() {
  if (SlotBoard* const board = crash_board.load(std::memory_order_acquire)) {
    Record(*board, "called exit()");
    ::_exit(CrashRecorder::kExitedExitCode);
  }
  if (current_scene == nullptr) return;
  Report(*current_scene, "called exit()");
  ::_exit(crash_exit_code);
}

}  // namespace

CrashScope::CrashScope(const CrashScene* scene) : outer_(current_scene) {
  static thread_local const SignalStack stack;
  current_scene = scene;
  if (current_slot != nullptr)
    current_slot->in_user_code.store(scene != nullptr, std::memory_order_release);
}

CrashScope::~CrashScope() {
  current_scene = outer_;
  if (current_slot != nullptr)
    current_slot->in_user_code.store(outer_ != nullptr, std::memory_order_release);
}

SlotScope::SlotScope(BoardSlot* slot, const AttemptId& attempt) {
  if (slot == nullptr) return;
  slot->kind = static_cast<std::uint32_t>(attempt.kind);
  slot->task = attempt.task;
  slot->attempt = attempt.attempt;
  slot->job = attempt.job;
  slot->user_class[0] = '\0';
  slot->batch_key[0] = '\0';
  slot->in_user_code.store(0, std::memory_order_relaxed);
  slot->has_block.store(0, std::memory_order_relaxed);
  slot->busy.store(1, std::memory_order_release);
  current_slot = slot;
}

SlotScope::~SlotScope() {
  if (current_slot == nullptr) return;
  current_slot->busy.store(0, std::memory_order_release);
  current_slot->has_block.store(0, std::memory_order_relaxed);
  current_slot = nullptr;
}

void RegisterPluginCode(const void* address, const char* path) {
  struct Search {
    std::uintptr_t address;
    PluginCode found;
  } search{reinterpret_cast<std::uintptr_t>(address), {0, 0, path}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto& s = *static_cast<Search*>(data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& segment = info->dlpi_phdr[i];
          const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
          if (s.address < begin || s.address >= begin + segment.p_memsz) continue;
          s.found.begin = begin;
          s.found.end = begin + segment.p_memsz;
          return 1;
        }
        return 0;
      },
      &search);
  plugin_code = search.found;
}

namespace {

void InstallHandlers() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = &OnSignal;
    action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
      ::sigaction(signal, &action, nullptr);
    std::atexit(&OnExit);
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace

void InstallCrashReports(int exit_code) {
  crash_exit_code = exit_code;
  InstallHandlers();
}

CrashRecorder::CrashRecorder(SlotBoard& board) {
  crash_board.store(&board, std::memory_order_release);
  InstallHandlers();
}

CrashRecorder::~CrashRecorder() { crash_board.store(nullptr, std::memory_order_release); }

}  // namespace spillway
