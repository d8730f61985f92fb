// TextStyle: emphasis for a terminal, or none. A value; pure.
#pragma once

#include <string>

namespace spillway {

struct TextStyle {
  bool color = false;

  std::string Bold(const std::string& text) const { return Wrap("1", text); }
  std::string Dim(const std::string& text) const { return Wrap("2", text); }
  std::string Error(const std::string& text) const { return Wrap("1;31", text); }
  std::string Warning(const std::string& text) const { return Wrap("1;33", text); }
  std::string Good(const std::string& text) const { return Wrap("1;32", text); }

 private:
  std::string Wrap(const char* code, const std::string& text) const {
    if (!color) return text;
    return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
  }
};

}  // namespace spillway
