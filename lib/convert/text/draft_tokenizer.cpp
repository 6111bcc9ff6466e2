#include "convert/text/draft_tokenizer.h"

#include "convert/error.h"
#include "text/tokenizer_impl.h"

namespace linnet::convert {

Tokenizer open_draft(const TokenizerDraft& draft) {
  flatbuffers::FlatBufferBuilder builder;
  auto tokenizer = write_tokenizer(builder, draft);
  std::vector<flatbuffers::Offset<flatbuffers::String>> requirements;
  std::vector<flatbuffers::Offset<schema::Tensor>> tensors;
  std::vector<flatbuffers::Offset<schema::Program>> programs;
  builder.Finish(schema::CreateModelDirect(builder, &requirements, "", schema::Task::none, &tensors, nullptr, &programs, tokenizer));
  Result<Tokenizer> created = text::create_tokenizer(builder.GetBufferPointer(), builder.GetSize());
  check(created.status());
  return std::move(*created);
}

}  // namespace linnet::convert
