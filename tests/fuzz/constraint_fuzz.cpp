// Grammars and schemas out of whatever comes: the first byte says which, the second how large the budget is, the rest is its text. What is
// not refused has to be written: with masks, to an end within the budget.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "linnet/constraint.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_impl.h"

using namespace linnet;

namespace {

// A byte-level vocabulary by hand: id 0 ends the text, then come the 256 bytes and some longer tokens.
Tokenizer make_tokenizer() {
  std::vector<std::string> pieces = {"<end>"};
  const auto add = [&](std::string_view bytes) {
    std::string piece;
    for (char byte : bytes) {
      char out[4];
      piece.append(out, text::encode(text::kByteAlphabet[static_cast<uint8_t>(byte)], out));
    }
    pieces.push_back(piece);
  };
  for (int byte = 0; byte < 256; ++byte) {
    const char one = static_cast<char>(byte);
    add({&one, 1});
  }
  for (const char* token : {"{\"", "\":", "\",\"", "\"}", "}}", "[[", "]]", "true", "null", "12", "aaaa", ", "}) add(token);
  flatbuffers::FlatBufferBuilder builder;
  std::vector<uint8_t> bytes, types(pieces.size(), 1);
  types[0] = 3;
  std::vector<uint32_t> ends, buckets(1024);
  for (size_t id = 0; id < pieces.size(); ++id) {
    bytes.insert(bytes.end(), pieces[id].begin(), pieces[id].end());
    ends.push_back(static_cast<uint32_t>(bytes.size()));
    uint32_t at = text::hash_bytes(pieces[id]) & 1023;
    while (buckets[at] != 0) at = (at + 1) & 1023;
    buckets[at] = static_cast<uint32_t>(id + 1);
  }
  const auto kind = builder.CreateString("byte_level"), none = builder.CreateString("");
  schema::StageBuilder stage(builder);
  stage.add_kind(kind);
  stage.add_text(none);
  stage.add_second(none);
  const auto built = stage.Finish();
  const auto decoder = builder.CreateVector(&built, 1);
  const auto piece_ends = builder.CreateVector(ends), bucket = builder.CreateVector(buckets);
  const auto piece_bytes = builder.CreateVector(bytes), piece_types = builder.CreateVector(types);
  schema::TokenizerBuilder tokenizer(builder);
  tokenizer.add_kind(schema::TokenizerKind::byte_level_bpe);
  tokenizer.add_piece_ends(piece_ends);
  tokenizer.add_piece_bytes(piece_bytes);
  tokenizer.add_piece_types(piece_types);
  tokenizer.add_buckets(bucket);
  tokenizer.add_decoder(decoder);
  const auto table = tokenizer.Finish();
  schema::ModelBuilder model(builder);
  model.add_tokenizer(table);
  builder.Finish(model.Finish());
  Result<Tokenizer> made = text::create_tokenizer(builder.GetBufferPointer(), builder.GetSize());
  if (!made.ok()) std::abort();
  return std::move(*made);
}

const ConstraintVocabulary& vocabulary() {
  static const ConstraintVocabulary made = [] {
    const int32_t eos[] = {0};
    Result<ConstraintVocabulary> result = ConstraintVocabulary::create(make_tokenizer(), eos);
    if (!result.ok()) std::abort();
    return std::move(*result);
  }();
  return made;
}

void write(Constraint& constraint, uint32_t more, uint64_t random) {
  std::vector<uint64_t> bits(vocabulary().words());
  const uint32_t shortest = constraint.shortest_tokens();
  if (shortest > 200) return;
  for (uint32_t left = shortest + more; left > 0 && !constraint.finished(); --left) {
    const Status status = constraint.allowed(left, bits);
    if (!status.ok()) {
      if (status.code() != Code::unsupported && status.code() != Code::out_of_memory) std::abort();  // more readings than are followed
      return;
    }
    std::vector<int32_t> ids;
    for (size_t id = 0; id < vocabulary().size(); ++id)
      if (bits[id / 64] >> (id % 64) & 1) ids.push_back(static_cast<int32_t>(id));
    if (ids.empty()) std::abort();
    random = random * 6364136223846793005u + 1442695040888963407u;
    if (!constraint.accept(ids[(random >> 33) % ids.size()]).ok()) std::abort();
  }
  if (!constraint.finished() && !constraint.may_end()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  // Most bytes only spoil a text: unless the first byte's second bit is set, those outside of ASCII become signs that mean something.
  static constexpr std::string_view kSigns = "[]{}()|*+?.,:\"\\-^$0123456789aez \n";
  for (char& c : text)
    if ((data[0] & 2) == 0 && c != '\n' && (c < ' ' || c > '~')) c = kSigns[static_cast<uint8_t>(c) % kSigns.size()];
  Result<Constraint> constraint = data[0] % 2 ? Constraint::from_grammar(vocabulary(), text) : Constraint::from_schema(vocabulary(), text);
  if (!constraint.ok()) {
    if (std::strlen(constraint.status().message()) == 0) std::abort();
    return 0;
  }
  write(*constraint, data[1] % 32, data[0]);
  return 0;
}
