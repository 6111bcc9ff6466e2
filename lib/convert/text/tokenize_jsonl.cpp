#include "convert/text/tokenize_jsonl.h"

#include <fmt/format.h>

#include "convert/checkpoint.h"
#include "convert/text/draft_tokenizer.h"
#include "convert/text/tokenizer_reader.h"
#include "linnet/tokenizer.h"

namespace linnet::convert {

namespace {

Tokenizer open_tokenizer(const std::string& source) {
  if (source.size() > 7 && source.compare(source.size() - 7, 7, ".linnet") == 0) {
    Result<Model> model = Model::open(source.c_str());
    check(model.status());
    Result<Tokenizer> created = Tokenizer::create(*model);
    check(created.status());
    return std::move(*created);
  }
  std::optional<TokenizerDraft> draft = read_tokenizer(source);
  if (!draft) throw Error("there is no tokenizer (expected tokenizer.json, tokenizer.model, vocab.txt, or vocab.json and merges.txt)");
  // Better not cut than cut in another way.
  if (!draft->foreign_cut.empty()) draft->max_length = 0;
  return open_draft(*draft);
}

Json ids_json(const Ids& ids) {
  Json list = Json::array();
  for (int32_t id : ids) list.push_back(id);
  return list;
}

std::vector<int32_t> ids_in(const Json& list) {
  std::vector<int32_t> ids;
  for (const Json& item : list.get<std::vector<Json>>()) {
    const int64_t id = item.is_number_integer() ? item.get<int64_t>() : -1;
    const bool fits = !item.is_number_unsigned() || item.get<uint64_t>() <= INT32_MAX;
    if (!item.is_number_integer() || !fits || id < INT32_MIN)
      throw Error(
          fmt::format("\"ids\" holds {}, expected whole numbers of 32 bits", item.dump(-1, ' ', true, Json::error_handler_t::replace)));
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
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
  const std::vector<int32_t> ids = ids_in(question.at("ids"));
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

void answer_lines(const Tokenizer& tokenizer, std::istream& in, std::ostream& out) {
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json answer;
    try {
      const Json question = Json::parse(line);
      answer = question.contains("text") ? encode(tokenizer, question) : decode(tokenizer, question);
    } catch (const Error& error) {
      throw Error(fmt::format("line {}: {}", number, error.what()));
    } catch (const Json::exception& error) {
      throw Error(fmt::format("line {}: expected an object with \"text\" or \"ids\" ({})", number, error.what()));
    }
    // ASCII only: characters that end lines elsewhere would break up the answer.
    out << answer.dump(-1, ' ', true, Json::error_handler_t::replace) << '\n';
  }
}

}  // namespace

int tokenize_jsonl(const std::string& source, std::istream& in, std::ostream& out) {
  try {
    answer_lines(open_tokenizer(source), in, out);
  } catch (const std::exception&) {
    throw_about(source);
  }
  return 0;
}

}  // namespace linnet::convert
