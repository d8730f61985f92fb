"""Counts with counters, in mappers and reducers; a mapper that is a command, and no reducer."""

from mrjob.job import MRJob
from mrjob.step import MRStep


class Counters(MRJob):
    def steps(self):
        return [MRStep(mapper=self.pairs, reducer=self.totals), MRStep(mapper_cmd="grep -v '^\"a'")]

    def pairs(self, _, line):
        self.increment_counter("text", "lines")
        self.increment_counter("text", "bytes, about", len(line))
        for word in line.split():
            yield word, 1

    def totals(self, word, counts):
        self.increment_counter("words", "distinct")
        self.set_status("counting " + word)
        yield word, sum(counts)


if __name__ == "__main__":
    Counters.run()
