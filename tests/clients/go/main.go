// Command client is pgx as a client of poolers: it does what its first argument says and prints a line of JSON.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// over ends with standard input.
func over() context.Context {
	ctx, end := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	return ctx
}

func print(answer any) {
	line, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func opened() *pgxpool.Pool {
	pool, err := OpenPool(context.Background())
	if err != nil {
		panic(err)
	}
	return pool
}

func pooled(workers int) {
	ctx, pool := over(), opened()
	var lock sync.Mutex
	acknowledged, errors := []string{}, map[string]int{}
	last, gap := time.Time{}, time.Duration(0)
	look := func() {
		now := time.Now()
		if !last.IsZero() {
			gap = max(gap, now.Sub(last))
		}
		last = now
	}
	write := func() {
		row := os.Getenv("CLIENT") + ":" + rand.Text()
		_, err := pool.Exec(context.Background(), "insert into written values ($1)", row)
		lock.Lock()
		if err == nil {
			acknowledged = append(acknowledged, row)
			look()
			if len(acknowledged) == 1 {
				fmt.Println("it writes")
			}
		} else {
			errors[err.Error()]++
		}
		lock.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
	var work sync.WaitGroup
	for range workers {
		work.Go(func() {
			for ctx.Err() == nil {
				write()
			}
		})
	}
	ended := make(chan struct{})
	go func() { work.Wait(); close(ended) }()
	<-ctx.Done()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
	}
	lock.Lock()
	look()
	print(map[string]any{"acknowledged": acknowledged, "errors": errors, "gap": gap.Seconds()})
}

func ddl() {
	ctx, pool := over(), opened()
	var lock sync.Mutex
	failures, reads := []float64{}, 0
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for ctx.Err() == nil {
				rows, err := pool.Query(context.Background(), "select * from changing")
				if err == nil {
					rows.Close()
					err = rows.Err()
				}
				lock.Lock()
				if err == nil {
					reads++
				} else {
					failures = append(failures, float64(time.Now().UnixMilli())/1000)
				}
				lock.Unlock()
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	work.Wait()
	print(map[string]any{"failures": failures, "reads": reads})
}

func cancels(count int) {
	var left, done atomic.Int64
	left.Store(int64(count))
	var work sync.WaitGroup
	for range 10 {
		work.Go(func() {
			for left.Add(-1) >= 0 {
				if cancelled() {
					done.Add(1)
				}
			}
		})
	}
	work.Wait()
	print(map[string]any{"cancelled": done.Load(), "lost": int64(count) - done.Load()})
}

func main() {
	count := 1
	if len(os.Args) > 3 {
		count, _ = strconv.Atoi(os.Args[3])
	}
	switch os.Args[1] {
	case "pooled":
		pooled(count)
	case "ddl":
		ddl()
	case "cancels":
		cancels(count)
	case "features":
		print(features())
	default:
		panic("unknown: " + os.Args[1])
	}
}
