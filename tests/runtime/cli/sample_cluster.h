// A cluster and its jobs as a coordinator would describe them, for the tests of what is printed.
#pragma once

#include "runtime/protocol/spillway.pb.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

inline wire::JobState SampleRunningJob() {
  wire::JobState job;
  job.set_job_id("20261126-183000-0002");
  job.set_name("wordcount");
  job.set_user("ada");
  job.set_submission_key("nightly");
  job.set_phase(wire::MAPPING);
  job.set_output_dir("/data/out");
  job.set_weight(3);
  job.set_maps_done(120);
  job.set_maps_running(16);
  job.set_maps_total(800);
  job.set_reduces_total(24);
  job.set_combines_done(2);
  job.set_combines_running(4);
  job.set_combines_total(8);
  job.set_joined_partitions(17);
  job.set_input_bytes(std::uint64_t{100} << 30);
  job.set_input_bytes_read(std::uint64_t{15} << 30);
  job.set_attempts_started(137);
  job.set_attempts_failed(1);
  job.set_maps_rerun(2);
  job.set_records_skipped(1);
  job.set_submitted_unix_ms(1'799'999'700'000);
  job.set_elapsed_ms(300'000);
  job.set_prepare_ms(40);
  job.set_map_ms(299'960);
  job.mutable_stats()->set_spilled_bytes(std::uint64_t{3} << 30);
  job.mutable_stats()->set_shuffled_bytes(std::uint64_t{2} << 30);
  job.mutable_stats()->set_fetched_bytes(std::uint64_t{1} << 30);
  job.mutable_stats()->set_map_output_records(1'000'000);
  wire::HeavyKey& key = *job.mutable_stats()->add_heavy_keys();
  key.set_key("caf\xc3\xa9\x1b\xff");
  key.set_key_bytes(7);
  key.set_hash(1);
  key.set_records(430'000);
  key.set_bytes(8'600'000);
  for (std::uint64_t i = 0; i < 24; ++i) {
    wire::PartitionLoad& load = *job.add_partitions();
    if (i > 6) continue;  // Not reduced.
    load.set_shuffled_bytes(i == 4 ? 90 << 20 : (10 + i) << 20);
    load.set_records(i == 4 ? 1'000'000 : 100'000 + i);
    load.set_run_us((i == 4 ? 9'000 : 1'200 + i) * 1'000);
    if (i != 4) continue;
    load.set_pieces(8);
    load.mutable_largest_group()->set_key("null");
    load.mutable_largest_group()->set_key_bytes(4);
    load.mutable_largest_group()->set_records(930'000);
  }
  job.add_warnings("worker node3 was lost; its 2 maps run again \x1b[31m");
  return job;
}

inline wire::JobState SampleFailedJob() {
  wire::JobState job;
  job.set_job_id("20261126-180000-0001");
  job.set_name("parse_logs");
  job.set_user("grace");
  job.set_phase(wire::REDUCING);
  job.set_ended(true);
  *job.mutable_status() = ToWire(UserCodeError("ParseLine threw at /data/log.1:4711"));
  job.set_output_dir("/data/parsed");
  job.set_weight(1);
  job.set_maps_done(8);
  job.set_maps_total(8);
  job.set_reduces_done(1);
  job.set_reduces_total(2);
  job.set_submitted_unix_ms(1'799'992'800'000);
  job.set_elapsed_ms(61'000);
  return job;
}

inline wire::JobStates SampleJobs() {
  wire::JobStates jobs;
  *jobs.add_jobs() = SampleRunningJob();
  *jobs.add_jobs() = SampleFailedJob();
  wire::JobState stopping = SampleRunningJob();
  stopping.set_killing(true);
  *jobs.add_jobs() = stopping;
  wire::JobState killed = SampleFailedJob();
  *killed.mutable_status() = ToWire(Cancelled("killed: wrong input"));
  *jobs.add_jobs() = killed;
  wire::JobState done = SampleFailedJob();
  done.clear_status();
  *jobs.add_jobs() = done;
  return jobs;
}

inline wire::ClusterState SampleCluster() {
  wire::ClusterState cluster;
  cluster.set_version("0.2.0");
  cluster.set_coordinator_epoch(4);
  cluster.set_jobs(2);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    wire::WorkerState* worker = cluster.add_workers();
    worker->set_worker(i);
    worker->set_name("node" + std::to_string(i) + "-4711");
    worker->set_host("node" + std::to_string(i));
    worker->set_rack(i == 3 ? "" : "r1");
    worker->set_slots(8);
    worker->set_slots_taken(i * 2);
    worker->set_memory_bytes(std::uint64_t{16} << 30);
    worker->set_resident_bytes(std::uint64_t{i} << 30);
    worker->set_spill_free_bytes(std::uint64_t{i * 100} << 30);
    worker->set_pid(4'711);
    worker->set_draining(i == 2);
    worker->set_set_aside(i == 3);
  }
  return cluster;
}

}  // namespace spillway
