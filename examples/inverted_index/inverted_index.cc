// Inverted index: for each word the places where it stands, in the order of the input:
//
//   word TAB file:offset file:offset ...
//
// The values of a key arrive in the order (map task, place in the split), which is the order of
// the input, so the postings need no sorting; and they are written as they stream past, so a word
// with a hundred million postings takes no memory.
#include <mapreduce/mapreduce.h>

using namespace spillway;

struct Posting {
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
  SPILLWAY_FIELDS(file, offset)
};

class IndexWords : public Mapper<WordChunks, std::string, Posting> {
 public:
  void Map(const Chunk& chunk, Emitter& out) {
    ForEachWord(chunk.text, [&](std::string_view word) {
      const auto in_chunk = static_cast<std::uint64_t>(word.data() - chunk.text.data());
      out.Emit(word, {chunk.file_index, chunk.offset + in_chunk});
    });
  }
};

/// One line per word, made of the sorted (word, posting) pairs.
class PostingLines {
 public:
  static constexpr const char* kName = "PostingLines";

  Status Setup(TaskContext& context) {
    context_.emplace(context);
    return OkStatus();
  }

  void BeginGroup(std::string_view word, OutputBuffer& out) {
    if (open_) out.Append('\n');
    out.Append(word);
    open_ = true;
    before_ = '\t';
  }

  void Write(std::string_view, const Posting& posting, OutputBuffer& out) {
    if (posting.file != file_ || place_.empty()) {
      file_ = posting.file;
      place_ = " " + std::string(context_->input_path(file_)) + ":";
    }
    place_[0] = before_;
    before_ = ' ';
    out.Append(place_);
    out.AppendNumber(posting.offset);
  }

  void End(OutputBuffer& out) {
    if (open_) out.Append('\n');
  }

 private:
  std::optional<TaskContext> context_;
  bool open_ = false;
  char before_ = '\t';  // A TAB before the first posting of a word, else a blank.
  std::uint32_t file_ = 0;
  std::string place_;  // That character, the path of file_, and a colon.
};

SPILLWAY_PLUGIN("inverted_index", "lists file:offset of every occurrence of each word", "") {
  return NewJob().Map<IndexWords>().Write<PostingLines>();
}
