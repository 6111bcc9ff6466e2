// Questions to a tokenizer, one JSON object a line: what `linnet tokenize --jsonl` speaks.
#pragma once

#include <istream>
#include <ostream>
#include <string>

namespace linnet::convert {

/// `source`: a folder with tokenizer files, a .gguf file or a .linnet file. Answers each line of `in` with one line on `out`.
/// Throws Error that begins with `source`.
/// {"text": T[, "pair": P][, "special": true]} -> {"ids": [...][, "type_ids": [...]]}
/// {"ids": [...][, "skip_special": true]} -> {"text": T};  {"ids": [...], "stream": true} -> {"pieces": [T, ...]}
int tokenize_jsonl(const std::string& source, std::istream& in, std::ostream& out);

}  // namespace linnet::convert
