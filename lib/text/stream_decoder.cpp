#include "linnet/tokenizer.h"

namespace linnet {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special) noexcept : tokenizer_(tokenizer), skip_special_(skip_special) {}
StreamDecoder::~StreamDecoder() = default;
Status StreamDecoder::put(int32_t id, Text* text) noexcept { return tokenizer_.decode({&id, 1}, skip_special_, text); }
Status StreamDecoder::finish(Text*) noexcept { return {}; }

}  // namespace linnet
