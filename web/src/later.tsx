// All that the panel's first screen doesn't need: the chat itself, articles, the forms for those who don't wait. Fetched
// with the first key that is typed, or at once where a chat is open. Built against the panel's exports (panel.tsx), so
// that nothing is loaded twice.
export { ArticleList } from './ui/widget/Articles.js';
export { Chat } from './ui/widget/Chat.js';
export { Leave } from './ui/widget/Leave.js';
export { Solved } from './ui/widget/Solved.js';
export { default as styles } from './ui/widget/later.css?text';
