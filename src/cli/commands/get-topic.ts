import type { TopicDetail, TopicSummary } from '../../admin/api.ts';
import { apiPath, type AdminClient } from '../admin-client.ts';
import { withSuggestion } from '../names.ts';

/** A topic by its name; one that does not exist is an error that says which was meant. */
export function getTopic(client: AdminClient, name: string): Promise<TopicDetail> {
  return suggestingTopics(client, name, () => client.get(apiPath('topics', name)));
}

/** Adds to work that fails because there is no such topic the name that was meant. */
export function suggestingTopics<T>(
  client: AdminClient,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  return withSuggestion(name, work, async () => {
    const { topics } = await client.get<{ topics: TopicSummary[] }>('/topics');
    return topics.map((topic) => topic.name);
  });
}
