import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.FileInputStream;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;

/** pgjdbc and HikariCP as a client of poolers: it does what its first argument says and prints a line of JSON. */
public class Client {
  private static final ExecutorService threads = Executors.newCachedThreadPool(work -> {
    Thread thread = new Thread(work);
    thread.setDaemon(true);
    return thread;
  });

  /** The recipe's settings, as a file of HikariCP's properties. */
  private static HikariConfig config() throws Exception {
    Properties properties = new Properties();
    try (FileInputStream file = new FileInputStream(System.getenv("CLIENTS_HIKARI"))) {
      properties.load(file);
    }
    for (String name : properties.stringPropertyNames()) {
      String value = properties.getProperty(name);
      for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
        value = value.replace("${" + variable.getKey() + "}", variable.getValue());
      }
      properties.setProperty(name, value);
    }
    return new HikariConfig(properties);
  }

  private static Connection connect(String more) throws Exception {
    HikariConfig config = config();
    return DriverManager.getConnection(config.getJdbcUrl() + more, config.getUsername(), config.getPassword());
  }

  private static Connection connect() throws Exception {
    return connect("");
  }

  private static CountDownLatch over() {
    CountDownLatch over = new CountDownLatch(1);
    threads.submit(() -> {
      while (System.in.read() >= 0) {}
      over.countDown();
      return null;
    });
    return over;
  }

  private static String quoted(Object value) {
    if (value instanceof Number) return value.toString();
    StringBuilder text = new StringBuilder("\"");
    for (char one : String.valueOf(value).toCharArray()) {
      if (one == '"' || one == '\\') text.append('\\').append(one);
      else if (one < ' ') text.append(String.format("\\u%04x", (int) one));
      else text.append(one);
    }
    return text.append('"').toString();
  }

  private static String json(Object value) {
    if (value instanceof Map) {
      return ((Map<?, ?>) value).entrySet().stream()
          .map(entry -> quoted(entry.getKey()) + ":" + json(entry.getValue()))
          .collect(Collectors.joining(",", "{", "}"));
    }
    if (value instanceof List) {
      return ((List<?>) value).stream().map(Client::json).collect(Collectors.joining(",", "[", "]"));
    }
    return quoted(value);
  }

  private static String first(Connection connection, String question) throws SQLException {
    try (Statement statement = connection.createStatement(); var rows = statement.executeQuery(question)) {
      rows.next();
      return rows.getString(1);
    }
  }

  private static Map<String, Object> pooled(int workers) throws Exception {
    CountDownLatch over = over();
    List<String> acknowledged = new ArrayList<>();
    List<Long> moments = new ArrayList<>();
    Map<String, Object> errors = new HashMap<>();
    List<Future<?>> work = new ArrayList<>();
    HikariDataSource pool = new HikariDataSource(config());
    for (int worker = 0; worker < workers; worker++) {
      work.add(threads.submit(() -> {
        while (over.getCount() > 0) {
          String row = System.getenv("CLIENT") + ":" + UUID.randomUUID();
          try (Connection connection = pool.getConnection();
              PreparedStatement insert = connection.prepareStatement("insert into written values (?)")) {
            insert.setString(1, row);
            insert.executeUpdate();
          } catch (SQLException error) {
            synchronized (acknowledged) {
              errors.merge(error.getSQLState() + " " + error.getMessage().split("\n")[0], 1, (one, two) -> (int) one + (int) two);
            }
            Thread.sleep(50);
            continue;
          }
          synchronized (acknowledged) {
            acknowledged.add(row);
            moments.add(System.nanoTime());
            if (acknowledged.size() == 1) System.out.println("it writes");
          }
          Thread.sleep(50);
        }
        return null;
      }));
    }
    over.await();
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    for (Future<?> one : work) {
      try {
        one.get(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
      } catch (TimeoutException stillWaiting) {
        break;
      }
    }
    synchronized (acknowledged) {
      moments.add(System.nanoTime());
      long gap = 0;
      for (int next = 1; next < moments.size(); next++) gap = Math.max(gap, moments.get(next) - moments.get(next - 1));
      return Map.of("acknowledged", acknowledged, "errors", errors, "gap", gap / 1e9);
    }
  }

  private static Map<String, Object> ddl() throws Exception {
    CountDownLatch over = over();
    List<Double> failures = new ArrayList<>();
    AtomicInteger reads = new AtomicInteger();
    List<Future<?>> work = new ArrayList<>();
    for (int reader = 0; reader < 4; reader++) {
      work.add(threads.submit(() -> {
        // Prepared at the server from its fifth use on.
        try (Connection connection = connect();
            PreparedStatement read = connection.prepareStatement("select * from changing")) {
          while (over.getCount() > 0) {
            try (var rows = read.executeQuery()) {
              reads.incrementAndGet();
            } catch (SQLException error) {
              synchronized (failures) {
                failures.add(System.currentTimeMillis() / 1e3);
              }
            }
            Thread.sleep(50);
          }
        }
        return null;
      }));
    }
    for (Future<?> one : work) one.get();
    return Map.of("failures", failures, "reads", reads.get());
  }

  private static boolean cancelled() throws Exception {
    try (Connection connection = connect(); Statement statement = connection.createStatement()) {
      Future<String> state = threads.submit(() -> {
        try {
          statement.execute("do $$ begin raise notice 'it runs'; perform pg_sleep(120); end $$");
          return "it ran to its end";
        } catch (SQLException error) {
          return error.getSQLState();
        }
      });
      while (statement.getWarnings() == null) {
        if (state.isDone()) throw new IllegalStateException(state.get());
        Thread.sleep(20);
      }
      statement.cancel();
      return state.get(20, TimeUnit.SECONDS).equals("57014");
    } catch (TimeoutException error) {
      return false;
    }
  }

  private static Map<String, Object> cancels(int count) throws Exception {
    AtomicInteger left = new AtomicInteger(count);
    AtomicInteger done = new AtomicInteger();
    List<Future<?>> work = new ArrayList<>();
    for (int at = 0; at < 10; at++) {
      work.add(threads.submit(() -> {
        while (left.decrementAndGet() >= 0) if (cancelled()) done.incrementAndGet();
        return null;
      }));
    }
    for (Future<?> one : work) one.get();
    return Map.of("cancelled", done.get(), "lost", count - done.get());
  }

  /** One session says something and ends; what the next one finds. */
  private static String after(String statement, String question) throws Exception {
    try (Connection connection = connect(); Statement one = connection.createStatement()) {
      one.execute(statement);
    }
    try (Connection connection = connect()) {
      return first(connection, question);
    }
  }

  private static String prepared() throws Exception {
    int right = 0;
    try (Connection connection = connect(); PreparedStatement add = connection.prepareStatement("select ?::int + 1")) {
      add.unwrap(org.postgresql.PGStatement.class).setPrepareThreshold(1);
      for (int number = 0; number < 10; number++) {
        add.setInt(1, number);
        try (var rows = add.executeQuery()) {
          rows.next();
          if (rows.getInt(1) == number + 1) right++;
        }
      }
    }
    return String.valueOf(right);
  }

  private static String searchPath() throws Exception {
    try (Connection connection = connect("&currentSchema=pg_catalog")) {
      return first(connection, "show search_path");
    }
  }

  private static String copied() throws Exception {
    try (Connection connection = connect(); Statement statement = connection.createStatement()) {
      statement.execute("delete from copied");
      connection.unwrap(PGConnection.class).getCopyAPI().copyIn("copy copied from stdin", new StringReader("one\ntwo\nthree\n"));
      return first(connection, "select count(*) from copied");
    }
  }

  private static String listens() throws Exception {
    try (Connection listener = connect(); Connection sender = connect(); Statement statement = listener.createStatement()) {
      statement.execute("listen news");
      first(sender, "select pg_notify('news', 'one')::text");
      var heard = listener.unwrap(PGConnection.class).getNotifications(1000);
      return String.valueOf(heard != null && heard.length > 0);
    }
  }

  private static String told(Callable<String> answer) {
    try {
      return answer.call();
    } catch (Exception error) {
      return error.getMessage();
    }
  }

  private static Map<String, Object> features() {
    Map<String, Object> found = new LinkedHashMap<>();
    found.put("prepared", told(Client::prepared));
    found.put("searchPath", told(Client::searchPath));
    found.put("set", told(() -> after("set statement_timeout = 1234", "show statement_timeout")));
    found.put("temporaryTables", told(() -> after("create temporary table mine (id int)", "select count(*) from pg_class where relname = 'mine' and pg_table_is_visible(oid)")));
    found.put("advisoryLocks", told(() -> after("select pg_advisory_lock(7)", "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")));
    found.put("copy", told(Client::copied));
    found.put("listen", told(Client::listens));
    return found;
  }

  public static void main(String[] args) throws Exception {
    int count = args.length > 2 ? Integer.parseInt(args[2]) : 1;
    Map<String, Object> answer = switch (args[0]) {
      case "pooled" -> pooled(count);
      case "ddl" -> ddl();
      case "cancels" -> cancels(count);
      case "features" -> features();
      default -> throw new IllegalArgumentException(args[0]);
    };
    System.out.println(json(answer));
    System.exit(0);
  }
}
