#include "mapreduce/base/units.h"

namespace spillway {}
