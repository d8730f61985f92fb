"""A job of some seconds, for tests that do something meanwhile: each line of its input costs a
moment."""

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS

SLOW = TEST_PLUGINS / "faulty.so"


class SlowJobCase(ClusterCase):
    MAPS = 24

    def setUp(self):
        super().setUp()
        data = b"".join(b"%05d %s\n" % (i * 7919 % 100_003, b"x" * (i % 50))
                        for i in range(self.MAPS * 40))
        self.input = self.write("in.txt", data)
        self.flags = ["--split-size", str(len(data) // self.MAPS + 1), "--reducers", "3"]
        self.expected = self.run_embedded(SLOW, [self.input], *self.flags, args=["slow:0"])

    def start_slow(self):
        return self.start_job(SLOW, [self.input], *self.flags, args=["slow:3"])

    def maps_done(self):
        answer = self.ask("jobs", "list")
        return max((job["maps_done"] for job in answer["jobs"]), default=0) if answer else 0

    def wait_for_maps(self, count):
        self.wait_for(lambda: self.maps_done() >= count, f"{count} maps")

    def finish_same(self, job):
        self.finish_job(job)
        self.same_tree(self.expected, job.output)
        self.expect_scratch_empty()
        return job
