// A workshop with chat.linnet: a decoder with a chat template that writes all of its words.
#pragma once

#include "tool/tool.h"

namespace linnet::tests {

struct ChatShop : Workshop {
  /// `config` is added to the checkpoint's.
  explicit ChatShop(const convert::Json& config = convert::Json::object()) {
    convert::FakeCheckpoint decoder = decoder_checkpoint();
    decoder.config().update(config);
    folder_.write(decoder, "decoder/");
    write("decoder/tokenizer_config.json", convert::Json{{"chat_template", kTemplate}}.dump());
    convert_chat();
  }
  void convert_chat() const {
    const Answer answer = linnet("convert decoder -o chat.linnet");
    REQUIRE_MESSAGE(answer.status == 0, answer.err);
  }
  Answer chat(const std::string& lines, const std::string& options = "") const {
    return linnet("chat chat.linnet --max-tokens 6 " + options, lines);
  }

  static constexpr const char* kTemplate =
      "{% for m in messages %}w1 {{ m.role == 'user' and 'w3' or 'w4' }} {{ m.content }} {% endfor %}{% if add_generation_prompt %}w1 w4 "
      "{% endif %}";
};

inline size_t lines_of(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace linnet::tests
