// Kill points: named places between two steps of a spill, the journal or a commit, at which a test
// can have the process die as by kill -9. They are in every build, so that what is tested is what
// is shipped; where nobody asks for a death, a point costs a look at a constant, and points lie
// between system calls, never on a record's way. Any thread.
//
// SPILLWAY_KILL_AT=NAME:PASSING:FILE ends the process at the PASSING-th time (from 1) that it comes
// to the point NAME. FILE must not be there: it is made before the end, and whoever finds it goes
// on, so that of all processes with this environment one dies, once. Every name is listed, with
// the process that passes it, in tests/chaos/kill_points.py.
#pragma once

namespace spillway {

/// Whether SPILLWAY_KILL_AT was set when the process began.
extern const bool kKillPointsArmed;

/// Ends the process when this is the passing that was asked for.
void PassKillPoint(const char* name);

/// `name` is a literal, and at one place only.
inline void KillPoint(const char* name) {
  if (kKillPointsArmed) [[unlikely]]
    PassKillPoint(name);
}

}  // namespace spillway
