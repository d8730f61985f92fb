// GroupStream, which the merge below the engine makes too, is declared beside the record.
#pragma once

#include "shuffle/record/group_stream.h"
