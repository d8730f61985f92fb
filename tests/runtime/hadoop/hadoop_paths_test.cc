#include "runtime/hadoop/hadoop_paths.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(HadoopPaths, LieBelowTheRoot) {
  const HadoopPaths paths("/srv/h/", "me");
  const std::pair<const char*, const char*> cases[] = {{"/a", "/srv/h/a"},
                                                       {"a/b", "/srv/h/user/me/a/b"},
                                                       {"hdfs:///a/", "/srv/h/a"},
                                                       {"hdfs://n:8020/a", "/srv/h/a"},
                                                       {"hdfs:/a", "/srv/h/a"},
                                                       {"hdfs://n", "/srv/h"},
                                                       {"file:///a", "/a"},
                                                       {"a:b", "/srv/h/user/me/a:b"},
                                                       {"x/hdfs:/a", "/srv/h/user/me/x/hdfs:/a"},
                                                       {"/../../etc/passwd", "/srv/h/etc/passwd"},
                                                       {"/../..", "/srv/h"},
                                                       {"/a/./../b//c", "/srv/h/b/c"},
                                                       {"../other/x", "/srv/h/user/other/x"},
                                                       {"../../../../x", "/srv/h/x"},
                                                       {"hdfs:/../x", "/srv/h/x"},
                                                       {"hdfs://n/../../x", "/srv/h/x"},
                                                       {"a..b/..c", "/srv/h/user/me/a..b/..c"},
                                                       {"/", "/srv/h"}};
  for (const auto& [text, local] : cases) {
    const auto path = paths.Find(text);
    ASSERT_TRUE(path.ok()) << text;
    EXPECT_EQ(path->local, local) << text;
    EXPECT_EQ(path->shown, text);
  }
  EXPECT_EQ(paths.FindLocal("a")->local, "a");
  EXPECT_EQ(paths.FindLocal("hdfs:///a")->local, "/srv/h/a");
}

TEST(HadoopPaths, AreTheMachinesWithoutARoot) {
  const HadoopPaths paths("", "me");
  EXPECT_EQ(paths.Find("a")->local, "a");
  EXPECT_EQ(paths.Find("hdfs:///")->local, "/");
}

TEST(HadoopPaths, OfOtherSchemesAreRefused) {
  const HadoopPaths paths("/r", "me");
  EXPECT_EQ(paths.Find("s3://b/k").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(paths.Find("").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(paths.Expand("/no/*").status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace spillway
