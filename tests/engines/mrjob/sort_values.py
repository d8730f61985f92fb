"""Two steps whose reducers count on sorted values: each word with the lines that have it, then the
words of equal counts in their order."""

from mrjob.job import MRJob
from mrjob.step import MRStep


class SortValues(MRJob):
    SORT_VALUES = True

    def steps(self):
        return [MRStep(mapper=self.words, reducer=self.lengths),
                MRStep(mapper=self.by_count, reducer=self.ranked)]

    def words(self, _, line):
        for word in line.split():
            yield word, len(line)

    def lengths(self, word, lengths):
        yield word, list(lengths)

    def by_count(self, word, lengths):
        yield len(lengths), (word, lengths[0], lengths[-1])

    def ranked(self, count, rows):
        yield count, list(rows)


if __name__ == "__main__":
    SortValues.run()
