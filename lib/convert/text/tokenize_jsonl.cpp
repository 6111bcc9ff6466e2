#include "convert/text/tokenize_jsonl.h"

#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/tokenizer_reader.h"
#include "linnet/tokenizer.h"
#include "text/tokenizer_impl.h"

namespace linnet::convert {

namespace {

void check(const Status& status) {
  if (!status.ok()) throw Error(status.message());
}

Tokenizer checked(Result<Tokenizer> created) {
  check(created.status());
  return std::move(created.value());
}

Tokenizer open_tokenizer(const std::string& source) {
  if (source.size() > 7 && source.compare(source.size() - 7, 7, ".linnet") == 0) {
    Result<Model> model = Model::open(source.c_str());
    check(model.status());
    return checked(Tokenizer::create(*model));
  }
  std::optional<TokenizerDraft> draft = read_tokenizer(source);
  if (!draft)
    throw Error(fmt::format("{}: there is no tokenizer (expected tokenizer.json, tokenizer.model, vocab.txt, or vocab.json and merges.txt)",
                            source));
  flatbuffers::FlatBufferBuilder builder;
  auto tokenizer = write_tokenizer(builder, *draft);
  std::vector<flatbuffers::Offset<flatbuffers::String>> requirements;
  std::vector<flatbuffers::Offset<schema::Tensor>> tensors;
  std::vector<flatbuffers::Offset<schema::Program>> programs;
  builder.Finish(schema::CreateModelDirect(builder, &requirements, "", schema::Task::none, &tensors, nullptr, &programs, tokenizer));
  return checked(text::create_tokenizer(builder.GetBufferPointer(), builder.GetSize()));
}

Json ids_json(const Ids& ids) {
  Json list = Json::array();
  for (int32_t id : ids) list.push_back(id);
  return list;
}

Json encode(const Tokenizer& tokenizer, const Json& question) {
  Tokenizer::EncodeOptions options;
  options.add_special = question.value("special", false);
  const std::string text = question.at("text").get<std::string>();
  Ids ids, type_ids;
  if (!question.contains("pair")) {
    check(tokenizer.encode(text, options, &ids));
    return {{"ids", ids_json(ids)}};
  }
  check(tokenizer.encode_pair(text, question.at("pair").get<std::string>(), options, &ids, &type_ids));
  return {{"ids", ids_json(ids)}, {"type_ids", ids_json(type_ids)}};
}

Json decode(const Tokenizer& tokenizer, const Json& question) {
  const auto ids = question.at("ids").get<std::vector<int32_t>>();
  const bool skip_special = question.value("skip_special", false);
  Text text;
  if (!question.value("stream", false)) {
    check(tokenizer.decode(ids, skip_special, &text));
    return {{"text", std::string(view(text))}};
  }
  Json pieces = Json::array();
  StreamDecoder decoder(tokenizer, skip_special);
  for (size_t i = 0; i < ids.size(); ++i) {
    text.clear();
    check(decoder.put(ids[i], &text));
    if (i + 1 == ids.size()) check(decoder.finish(&text));
    pieces.push_back(std::string(view(text)));
  }
  return {{"pieces", pieces}};
}

}  // namespace

int tokenize_jsonl(const std::string& source, std::istream& in, std::ostream& out) {
  const Tokenizer tokenizer = open_tokenizer(source);
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json answer;
    try {
      const Json question = Json::parse(line);
      answer = question.contains("text") ? encode(tokenizer, question) : decode(tokenizer, question);
    } catch (const Json::exception& error) {
      throw Error(fmt::format("line {}: expected an object with \"text\" or \"ids\" ({})", number, error.what()));
    }
    // ASCII only: characters that end lines elsewhere would break up the answer.
    out << answer.dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
  }
  return 0;
}

}  // namespace linnet::convert
