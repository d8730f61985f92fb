"""Counts the words that are not in a file, which goes along with the job."""

from mrjob.job import MRJob


class FileArgument(MRJob):
    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--stop-words")

    def mapper_init(self):
        with open(self.options.stop_words, encoding="utf-8") as words:
            self.stop = set(words.read().split())

    def mapper(self, _, line):
        for word in line.split():
            if word not in self.stop:
                yield word, 1

    def reducer(self, word, counts):
        yield word, sum(counts)


if __name__ == "__main__":
    FileArgument.run()
