#include "convert/text/whole_file.h"

#include <fstream>
#include <sstream>

#include "convert/checkpoint.h"

namespace linnet::convert {

std::string read_whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
  if (in.bad() || !out) throw Error(path + ": cannot be read");
  return out.str();
}

}  // namespace linnet::convert
