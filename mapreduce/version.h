// The version of these headers; the host reports it for plugins. Kept equal to the project's
// version in CMakeLists.txt (a test compares them).
#pragma once

#define SPILLWAY_VERSION "0.1.0"
