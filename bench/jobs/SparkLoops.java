// The iterative works for Spark, as its published examples do them: RDDs, the input parsed once and
// cached, one action for each iteration. spark_peer.py compiles it and spark-submit runs it.
//
//   SparkLoops k_means POINTS K ROUNDS
//   SparkLoops logistic_regression POINTS RATE ROUNDS
//   SparkLoops page_rank EDGES ROUNDS
//
// Prints the seconds of parsing and of each iteration as one line of JSON, as the hand-written limits
// do. Where the examples make an object for each point, sums are kept in one array for each task
// instead, which is several times as fast. Ranks of pages without links are lost, as in the example.
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import scala.Tuple2;

public final class SparkLoops {
  private static final double DAMPING = 0.85;
  private static final List<Double> iterations = new ArrayList<>();
  private static double parse;
  private static long last = System.nanoTime();

  private static double lap() {
    long now = System.nanoTime();
    double seconds = (now - last) * 1e-9;
    last = now;
    return seconds;
  }

  /** The label, then the coordinates. */
  private static double[] parsePoint(String line) {
    String[] words = line.split(" ");
    double[] point = new double[words.length];
    for (int i = 0; i < words.length; ++i) point[i] = Double.parseDouble(words[i]);
    return point;
  }

  private static JavaRDD<double[]> points(JavaSparkContext spark, String path) {
    JavaRDD<double[]> points = spark.textFile(path, 2).map(SparkLoops::parsePoint).cache();
    points.count();
    parse = lap();
    return points;
  }

  private static double[] add(double[] into, double[] from) {
    for (int i = 0; i < into.length; ++i) into[i] += from[i];
    return into;
  }

  private static int nearest(double[] point, double[][] centres) {
    int best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int c = 0; c < centres.length; ++c) {
      double sum = 0;
      for (int d = 0; d < centres[c].length; ++d) {
        double off = point[d + 1] - centres[c][d];
        sum += off * off;
      }
      if (sum < least) {
        least = sum;
        best = c;
      }
    }
    return best;
  }

  private static void kMeans(JavaSparkContext spark, String path, int k, int rounds) {
    JavaRDD<double[]> points = points(spark, path);
    List<double[]> first = points.take(k);
    int dims = first.get(0).length - 1;
    double[][] centres = new double[k][dims];
    for (int c = 0; c < k; ++c) System.arraycopy(first.get(c), 1, centres[c], 0, dims);
    lap();
    for (int round = 0; round < rounds; ++round) {
      double[][] current = centres;
      // For each centre its sums and its count.
      double[] sums = points.aggregate(new double[k * (dims + 1)], (into, point) -> {
        int at = nearest(point, current) * (dims + 1);
        for (int d = 0; d < dims; ++d) into[at + d] += point[d + 1];
        into[at + dims] += 1;
        return into;
      }, SparkLoops::add);
      centres = new double[k][dims];
      for (int c = 0; c < k; ++c) {
        double count = sums[c * (dims + 1) + dims];
        for (int d = 0; d < dims; ++d)
          centres[c][d] = count == 0 ? current[c][d] : sums[c * (dims + 1) + d] / count;
      }
      iterations.add(lap());
    }
    System.err.println("centre 0 begins with " + centres[0][0]);
  }

  private static void logisticRegression(JavaSparkContext spark, String path, double rate,
                                         int rounds) {
    JavaRDD<double[]> points = points(spark, path);
    long count = points.count();
    int dims = points.first().length - 1;
    double[] weights = new double[dims + 1];  // The bias first, where a point has its label.
    lap();
    for (int round = 0; round < rounds; ++round) {
      double[] current = weights.clone();
      double[] gradient = points.aggregate(new double[dims + 1], (into, point) -> {
        double z = current[0];
        for (int d = 1; d <= dims; ++d) z += current[d] * point[d];
        double off = 1 / (1 + Math.exp(-z)) - point[0];
        into[0] += off;
        for (int d = 1; d <= dims; ++d) into[d] += off * point[d];
        return into;
      }, SparkLoops::add);
      for (int d = 0; d <= dims; ++d) weights[d] -= rate * gradient[d] / count;
      iterations.add(lap());
    }
    System.err.println("the bias is " + weights[0]);
  }

  private static void pageRank(JavaSparkContext spark, String path, int rounds) {
    JavaPairRDD<String, Iterable<String>> links = spark.textFile(path, 2)
        .mapToPair(line -> {
          int tab = line.indexOf('\t');
          return new Tuple2<>(line.substring(0, tab), line.substring(tab + 1));
        })
        .groupByKey(2)
        .persist(StorageLevel.MEMORY_ONLY());
    links.count();
    JavaPairRDD<String, Double> ranks = links.mapValues(targets -> 1.0);
    parse = lap();
    for (int round = 0; round < rounds; ++round) {
      JavaPairRDD<String, Double> shares = links.join(ranks).values().flatMapToPair(both -> {
        int count = 0;
        for (String target : both._1()) ++count;
        List<Tuple2<String, Double>> out = new ArrayList<>(count);
        for (String target : both._1()) out.add(new Tuple2<>(target, both._2() / count));
        return out.iterator();
      });
      JavaPairRDD<String, Double> next = shares.reduceByKey(Double::sum, 2)
          .mapValues(sum -> 1 - DAMPING + DAMPING * sum)
          .persist(StorageLevel.MEMORY_ONLY());
      next.count();  // Each iteration by itself, so that its time can be told.
      ranks.unpersist(false);
      ranks = next;
      iterations.add(lap());
    }
    System.err.println("ranks: " + ranks.count());
  }

  public static void main(String[] words) {
    try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName(words[0]))) {
      spark.setLogLevel("ERROR");
      lap();
      switch (words[0]) {
        case "k_means" ->
            kMeans(spark, words[1], Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        case "logistic_regression" -> logisticRegression(
            spark, words[1], Double.parseDouble(words[2]), Integer.parseInt(words[3]));
        case "page_rank" -> pageRank(spark, words[1], Integer.parseInt(words[2]));
        default -> throw new IllegalArgumentException(words[0]);
      }
    }
    StringJoiner times = new StringJoiner(", ", "[", "]");
    for (double seconds : iterations) times.add(String.format(Locale.ROOT, "%.6f", seconds));
    System.out.println(String.format(Locale.ROOT, "{\"parse_seconds\": %.6f, ", parse)
        + "\"iteration_seconds\": " + times + "}");
  }
}
