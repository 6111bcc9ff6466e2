// What constrained output costs: microseconds for each token's mask and for taking the token in, while texts are drawn at random from what
// the masks allow, for some schemas. The first text finds the states of a schema, later ones know them.
//   bench_constraint TOKENIZER [--texts 10] [--max-tokens 200] [--seed 1]
// TOKENIZER is what `linnet tokenize` takes: a folder or a GGUF file. One thread; processor time.
#include "linnet/constraint.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "convert/text/tokenizer_draft.h"
#include "convert/text/tokenizer_reader.h"
#include "text/tokenizer_impl.h"

namespace {

using namespace linnet;

struct Schema {
  const char* name;
  const char* text;
};
constexpr Schema kSchemas[] = {
    {"any value", "{}"},
    {"person",
     R"({"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":40},"age":{"type":"integer","minimum":0,"maximum":150},
         "email":{"type":"string","format":"email"},"tags":{"type":"array","items":{"type":"string"},"maxItems":5}},"required":["name","age"]})"},
    {"long strings",
     R"({"type":"array","items":{"type":"object","properties":{"title":{"type":"string","maxLength":200},"body":{"type":"string"}},
         "required":["title","body"]},"minItems":2})"},
    {"tool call",
     R"({"anyOf":[{"type":"object","properties":{"name":{"const":"search"},"arguments":{"type":"object","properties":{"query":{"type":"string"},
         "limit":{"type":"integer","minimum":1,"maximum":50}},"required":["query"]}},"required":["name","arguments"]},
         {"type":"object","properties":{"name":{"const":"weather"},"arguments":{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["C","F"]}},
         "required":["city"]}},"required":["name","arguments"]}]})"},
    {"tree",
     R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"label":{"type":"string","maxLength":20},"children":{"type":"array",
         "items":{"$ref":"#/$defs/node"}}},"required":["label"]}}})"},
};

struct Options {
  std::string tokenizer;
  uint32_t texts = 10, max_tokens = 200, seed = 1;
};

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "bench_constraint: {}\n", message);
  std::exit(1);
}

void check(const Status& status) {
  if (!status.ok()) fail(status.message());
}

template <class T>
T take(Result<T> result) {
  if (!result.ok()) fail(result.status().message());
  return std::move(*result);
}

Tokenizer read_tokenizer(const std::string& path) {
  const std::optional<convert::TokenizerDraft> draft = convert::read_tokenizer(path);
  if (!draft) fail(path + ": no tokenizer");
  flatbuffers::FlatBufferBuilder builder;
  const auto tokenizer = write_tokenizer(builder, *draft);
  const std::vector<flatbuffers::Offset<flatbuffers::String>> requirements;
  const std::vector<flatbuffers::Offset<schema::Tensor>> tensors;
  const std::vector<flatbuffers::Offset<schema::Program>> programs;
  builder.Finish(schema::CreateModelDirect(builder, &requirements, "", schema::Task::none, &tensors, nullptr, &programs, tokenizer));
  return take(text::create_tokenizer(builder.GetBufferPointer(), builder.GetSize()));
}

std::vector<int32_t> special_ids(const Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  for (size_t id = 0; id < tokenizer.vocabulary() && ids.empty(); ++id)
    if (tokenizer.is_special(static_cast<int32_t>(id))) ids.push_back(static_cast<int32_t>(id));
  return ids;
}

int32_t draw(const std::vector<uint64_t>& bits, std::mt19937_64& random) {
  uint64_t count = 0;
  for (uint64_t word : bits) count += static_cast<uint64_t>(std::popcount(word));
  uint64_t left = count ? random() % count : 0;
  for (size_t i = 0; i < bits.size(); ++i) {
    uint64_t word = bits[i];
    const auto here = static_cast<uint64_t>(std::popcount(word));
    if (left >= here) {
      left -= here;
      continue;
    }
    for (; left > 0; --left) word &= word - 1;
    return static_cast<int32_t>(i * 64 + static_cast<size_t>(std::countr_zero(word)));
  }
  return -1;
}

struct Figures {
  size_t tokens = 0;
  double masks = 0, worst_mask = 0, accepts = 0;
};

Figures write(Constraint& constraint, const ConstraintVocabulary& vocabulary, uint32_t budget, std::mt19937_64& random) {
  Figures figures;
  check(constraint.reset());
  std::vector<uint64_t> bits(vocabulary.words());
  for (uint32_t left = std::max(budget, constraint.shortest_tokens()); left > 0 && !constraint.finished(); --left) {
    const double begun = processor_seconds();
    check(constraint.allowed(left, bits));
    const double masked = processor_seconds();
    const int32_t id = draw(bits, random);
    if (id < 0) fail("an empty mask");
    const double drawn = processor_seconds();
    check(constraint.accept(id));
    ++figures.tokens;
    figures.masks += masked - begun;
    figures.worst_mask = std::max(figures.worst_mask, masked - begun);
    figures.accepts += processor_seconds() - drawn;
  }
  return figures;
}

void run(const Schema& schema, const ConstraintVocabulary& vocabulary, const Options& options) {
  std::mt19937_64 random(options.seed);
  const double begun = processor_seconds();
  Constraint constraint = take(Constraint::from_schema(vocabulary, schema.text));
  const double compiled = processor_seconds() - begun;
  const auto print = [&](const char* which, const Figures& figures) {
    const double count = static_cast<double>(std::max<size_t>(figures.tokens, 1));
    fmt::print("{:14} {:12} {:6} {:12.1f} {:12.1f} {:14.1f}\n", schema.name, which, figures.tokens, 1e6 * figures.masks / count,
               1e6 * figures.worst_mask, 1e6 * figures.accepts / count);
  };
  print("first text", write(constraint, vocabulary, options.max_tokens, random));
  Figures later;
  for (uint32_t i = 1; i < options.texts; ++i) {
    const Figures one = write(constraint, vocabulary, options.max_tokens, random);
    later.tokens += one.tokens;
    later.masks += one.masks;
    later.worst_mask = std::max(later.worst_mask, one.worst_mask);
    later.accepts += one.accepts;
  }
  print("later texts", later);
  fmt::print("{:14} compiled in {:.1f} ms\n", "", 1e3 * compiled);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--", 0) != 0) {
      options.tokenizer = argument;
      continue;
    }
    if (i + 1 == argc) fail(argument + " needs a number");
    const auto number = static_cast<uint32_t>(std::strtoul(argv[++i], nullptr, 10));
    if (argument == "--texts")
      options.texts = number;
    else if (argument == "--max-tokens")
      options.max_tokens = number;
    else if (argument == "--seed")
      options.seed = number;
    else
      fail("no such option: " + argument);
  }
  if (options.tokenizer.empty()) fail("TOKENIZER is missing");
  const Tokenizer tokenizer = read_tokenizer(options.tokenizer);
  const double begun = processor_seconds();
  const ConstraintVocabulary vocabulary = take(ConstraintVocabulary::create(tokenizer, special_ids(tokenizer)));
  fmt::print("{} tokens, prepared in {:.1f} ms; microseconds per token:\n", vocabulary.size(), 1e3 * (processor_seconds() - begun));
  fmt::print("{:14} {:12} {:>6} {:>12} {:>12} {:>14}\n", "schema", "", "tokens", "mask", "worst mask", "taking it in");
  for (const Schema& schema : kSchemas) run(schema, vocabulary, options);
  return 0;
}
