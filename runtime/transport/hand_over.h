// Tells ThreadSanitizer that a message which was received happened after it was sent: ZeroMQ hands
// messages between threads by atomics in a library that is compiled without the sanitizer. Nothing
// at all in other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace spillway::hand_over {

#if defined(__SANITIZE_THREAD__)
inline char every_message;  // One for all: which message a thread received is known too late.
inline void NoteSent() { __tsan_release(&every_message); }
inline void NoteReceived() { __tsan_acquire(&every_message); }
#else
inline void NoteSent() {}
inline void NoteReceived() {}
#endif

}  // namespace spillway::hand_over
