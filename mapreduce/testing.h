// The test kit: what a plugin's own tests include. It needs no engine, no file and no test
// framework; the examples are GoogleTest's.
//
//   MapText<M>, ReduceRecords<R>     one class on records in memory       testing/emitted_records.h
//   JobTest, PluginTest              a whole job on inputs in memory      testing/job_test.h
//   CheckDeterminism, CheckCombiner, CheckPartitioner, CheckOrder         testing/job_checks.h
#pragma once

#include "mapreduce/testing/emitted_records.h"
#include "mapreduce/testing/job_checks.h"
#include "mapreduce/testing/job_test.h"
