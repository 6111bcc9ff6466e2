// A small encoder-decoder with odd sizes and random weights: what it has read of a source stands beside the tokens of a sequence.
#pragma once

#include "runtime/small_models.h"

namespace linnet::tests {

/// hidden 36, 3 heads of 10, feed-forward 52, 2 + 2 layers, vocabulary 61; texts begin with id 0 and end with id 1.
inline convert::FakeCheckpoint translator_checkpoint() {
  convert::FakeCheckpoint c({{"model_type", "t5"},
                             {"architectures", {"T5ForConditionalGeneration"}},
                             {"d_model", 36},
                             {"d_kv", 10},
                             {"num_heads", 3},
                             {"num_layers", 2},
                             {"d_ff", 52},
                             {"vocab_size", 61},
                             {"feed_forward_proj", "gated-gelu"},
                             {"decoder_start_token_id", 0},
                             {"eos_token_id", 1},
                             {"pad_token_id", 0},
                             {"relative_attention_num_buckets", 8},
                             {"relative_attention_max_distance", 20}});
  Weights w;
  const auto matrix = [&](const std::string& name, size_t rows, size_t columns) {
    c.put(name + ".weight", {rows, columns}, w.matrix(rows, columns));
  };
  const auto norm = [&](const std::string& name) { c.put(name + ".weight", {36}, w.around(1, 36)); };
  matrix("shared", 61, 36);
  for (const std::string stack : {"encoder.", "decoder."}) {
    for (int i = 0; i < 2; ++i) {
      const std::string layer = stack + "block." + std::to_string(i) + ".layer.";
      const bool decoder = stack == "decoder.";
      for (const std::string part : {"0.SelfAttention.", "1.EncDecAttention."}) {
        if (part[0] == '1' && !decoder) continue;
        for (const char* name : {"q", "k", "v"}) matrix(layer + part + name, 30, 36);
        matrix(layer + part + "o", 36, 30);
      }
      if (i == 0) matrix(layer + "0.SelfAttention.relative_attention_bias", 8, 3);
      const std::string dense = layer + (decoder ? "2." : "1.") + "DenseReluDense.";
      for (const char* name : {"wi_0", "wi_1"}) matrix(dense + name, 52, 36);
      matrix(dense + "wo", 36, 52);
      for (int part = 0; part < (decoder ? 3 : 2); ++part) norm(layer + std::to_string(part) + ".layer_norm");
    }
    norm(stack + "final_layer_norm");
  }
  return c;
}

/// A sequence that holds a source.
inline SequenceId with_source(Session* session, std::span<const int32_t> source) {
  const SequenceId sequence = must(session->add());
  must(session->prefill("encode", {.sequence = sequence, .tokens = source}));
  return sequence;
}

/// Logits of all tokens, run in chunks of this size.
inline std::vector<float> decoded(Session* session, SequenceId sequence, std::span<const int32_t> ids, size_t chunk = SIZE_MAX) {
  std::vector<float> all;
  for (size_t at = 0; at < ids.size();) {
    const size_t count = std::min(chunk, ids.size() - at);
    const Input input{.sequence = sequence, .tokens = ids.subspan(at, count)};
    must(session->run("decode", {&input, 1}, {.outputs = RunOptions::Outputs::all}));
    const std::vector<float> part = output(*session);
    all.insert(all.end(), part.begin(), part.end());
    at += count;
  }
  return all;
}

}  // namespace linnet::tests
