// A tokenizer out of whatever comes, asked whatever comes: four bytes of length, a structural part of that length, the rest is text, and
// its bytes are ids too. Tables that the flatbuffers verifier refuses are not looked at; all others must be refused or work.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "text/tokenizer_impl.h"

using namespace linnet;

namespace {

void decode_both_ways(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  Text whole, parts;
  const bool decoded = tokenizer.decode(ids, false, &whole).ok();
  StreamDecoder decoder(tokenizer, false);
  bool streamed = true;
  for (int32_t id : ids) streamed = streamed && decoder.put(id, &parts).ok();
  streamed = streamed && decoder.finish(&parts).ok();
  // Both are the same text unless memory ran out in one of them.
  if (decoded && streamed && view(whole) != view(parts)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  uint32_t length;
  std::memcpy(&length, data, 4);
  data += 4, size -= 4;
  const std::vector<uint8_t> tables(data, data + std::min<size_t>(length, size));
  const std::string_view text(reinterpret_cast<const char*>(data) + tables.size(), size - tables.size());
  flatbuffers::Verifier verifier(tables.data(), tables.size());
  if (tables.size() < 8 || !verifier.VerifyBuffer<schema::Model>(nullptr)) return 0;
  if (!flatbuffers::GetRoot<schema::Model>(tables.data())->tokenizer()) return 0;
  const Result<Tokenizer> tokenizer = text::create_tokenizer(tables.data(), tables.size());
  if (!tokenizer.ok()) {
    if (std::strlen(tokenizer.status().message()) == 0) std::abort();
    return 0;
  }
  Ids ids, types;
  const bool encoded = tokenizer->encode(text, {}, &ids).ok();
  std::vector<int32_t> all(ids.begin(), ids.end());
  for (char byte : text) all.push_back(byte);
  ids.clear();
  const bool encoded_pair = tokenizer->encode_pair(text, text.substr(0, text.size() / 2), {.max_tokens = 9}, &ids, &types).ok();
  if (encoded && encoded_pair && ids.size() != types.size()) std::abort();
  decode_both_ways(*tokenizer, all);
  return 0;
}
