// How malloc treats the memory of messages. For main; a library has no business with it.
#pragma once

namespace spillway {

/// Data messages of up to 1 MiB come and go by the thousand. As malloc is set up by default, it
/// gives their memory back to the kernel again and again, and to clear fresh pages costs as much as
/// all else of a transfer. This lets it keep up to 8 MiB of free memory at the end of each heap:
/// twice what is under way between two workers. Called before threads are started; a process that
/// fetches or serves segments wants it.
void KeepMessageMemory();

}  // namespace spillway
