package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var background = context.Background()

func connected(change func(*pgx.ConnConfig)) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	change(config)
	return pgx.ConnectConfig(background, config)
}

func session() *pgx.Conn {
	conn, err := connected(func(*pgx.ConnConfig) {})
	if err != nil {
		panic(err)
	}
	return conn
}

func value(conn *pgx.Conn, statement string) string {
	var answer any
	if err := conn.QueryRow(background, statement).Scan(&answer); err != nil {
		return err.Error()
	}
	return fmt.Sprint(answer)
}

// after: one session says something and ends; what the next one finds.
func after(statement, question string) string {
	first := session()
	if _, err := first.Exec(background, statement); err != nil {
		return err.Error()
	}
	_ = first.Close(background)
	second := session()
	defer second.Close(background)
	return value(second, question)
}

func prepared() string {
	conn := session()
	defer conn.Close(background)
	if _, err := conn.Prepare(background, "add", "select $1::int + 1"); err != nil {
		return err.Error()
	}
	right := 0
	for number := range 10 {
		var answer int
		if err := conn.QueryRow(background, "add", number).Scan(&answer); err != nil {
			return err.Error()
		}
		if answer == number+1 {
			right++
		}
	}
	return fmt.Sprint(right)
}

func searchPath() string {
	conn, err := connected(func(config *pgx.ConnConfig) { config.RuntimeParams["search_path"] = "pg_catalog" })
	if err != nil {
		return err.Error()
	}
	defer conn.Close(background)
	return value(conn, "show search_path")
}

func copied() string {
	conn := session()
	defer conn.Close(background)
	if _, err := conn.Exec(background, "delete from copied"); err != nil {
		return err.Error()
	}
	rows := pgx.CopyFromRows([][]any{{"one"}, {"two"}, {"three"}})
	if _, err := conn.CopyFrom(background, pgx.Identifier{"copied"}, []string{"row"}, rows); err != nil {
		return err.Error()
	}
	return value(conn, "select count(*) from copied")
}

func listens() string {
	listener, sender := session(), session()
	defer listener.Close(background)
	defer sender.Close(background)
	if _, err := listener.Exec(background, "listen news"); err != nil {
		return err.Error()
	}
	value(sender, "select pg_notify('news', 'one')::text")
	ctx, end := context.WithTimeout(background, time.Second)
	defer end()
	_, err := listener.WaitForNotification(ctx)
	if err != nil && !pgconn.Timeout(err) {
		return err.Error()
	}
	return fmt.Sprint(err == nil)
}

func features() map[string]string {
	return map[string]string{
		"prepared":        prepared(),
		"searchPath":      searchPath(),
		"set":             after("set statement_timeout = 1234", "show statement_timeout"),
		"temporaryTables": after("create temporary table mine (id int)", "select count(*) from pg_class where relname = 'mine' and pg_table_is_visible(oid)"),
		"advisoryLocks":   after("select pg_advisory_lock(7)", "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"),
		"copy":            copied(),
		"listen":          listens(),
	}
}

// notices has what to do when a server's connection says something.
var notices sync.Map

// listening is the recipe's pool whose connections tell what they hear.
var listening = sync.OnceValue(func() *pgxpool.Pool {
	config := opened().Config()
	config.ConnConfig.OnNotice = func(conn *pgconn.PgConn, _ *pgconn.Notice) {
		if act, ok := notices.LoadAndDelete(conn); ok {
			act.(func())()
		}
	}
	pool, err := pgxpool.NewWithConfig(background, config)
	if err != nil {
		panic(err)
	}
	return pool
})

// cancelled runs a statement, ends its context once it has said something, and tells whether it was cancelled.
func cancelled() bool {
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	conn, err := listening().Acquire(ctx)
	if err != nil {
		panic(err)
	}
	defer conn.Release()
	begun := make(chan struct{})
	notices.Store(conn.Conn().PgConn(), func() { close(begun) })
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Exec(ctx, "do $$ begin raise notice 'it runs'; perform pg_sleep(120); end $$")
		ended <- err
	}()
	select {
	case <-begun:
		cancel()
	case err := <-ended:
		panic(err)
	}
	var told *pgconn.PgError
	return errors.As(<-ended, &told) && told.Code == "57014"
}
