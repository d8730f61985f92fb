#include "runtime/cli/export_directory.h"

#include <gtest/gtest.h>

#include "runtime/cli/library_closure.h"

namespace spillway {
namespace {

TEST(LibraryClosure, IsWhatLddSaysWithoutTheCLibrary) {
  const auto libraries = ReadLddOutput(
      "\tlinux-vdso.so.1 (0x00007ffd5f5e4000)\n"
      "\tlibzmq.so.5 => /lib/x86_64-linux-gnu/libzmq.so.5 (0x00007f2a)\n"
      "\tlibstdc++.so.6 => /opt/my libs/libstdc++.so.6 (0x00007f2b)\n"
      "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f2c)\n"
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2d)\n"
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2e)\n",
      "job.so");
  ASSERT_TRUE(libraries.ok());
  EXPECT_EQ(*libraries,
            (std::vector<SharedLibrary>{{"libzmq.so.5", "/lib/x86_64-linux-gnu/libzmq.so.5"},
                                        {"libstdc++.so.6", "/opt/my libs/libstdc++.so.6"}}));
  const auto missing = ReadLddOutput("\tlibmine.so.1 => not found\n", "job.so");
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
  EXPECT_EQ(missing.status().message(),
            "'job.so' needs the library libmine.so.1, which is not there. Install it, or set "
            "LD_LIBRARY_PATH.");
}

TEST(PhaseScript, QuotesWhateverTheArgumentsAre) {
  ExportRequest request;
  request.args = {"--top=3", "it's $HOME", ""};
  request.side_files = {{"stop words", "/somewhere/else"}};
  const std::string script = PhaseScript(request);
  EXPECT_NE(script.find("\"$here/plugin.so\" \"--$1\""
                        " --file 'stop words'=\"$here\"/files/'stop words'"
                        " -- '--top=3' 'it'\\''s $HOME' ''\n"),
            std::string::npos)
      << script;
}

TEST(JobConfiguration, IsOfOneWordALine) {
  FilterFacts facts;
  facts.job_name = "it's mine";
  facts.lead = LineLead::kGroup;
  facts.has_combiner = true;
  const std::string text = JobConfiguration(facts);
  for (const char* line : {"\njob_name='it'\\''s mine'\n", "\nlead=group ", "\nkey_fields=2 ",
                           "\nmap_only=no\n", "\ncombiner=yes\n", "\none_reducer=no\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << " in " << text;
}

}  // namespace
}  // namespace spillway
